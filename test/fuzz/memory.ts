import { collectAll, heapOf, residentMb } from '../../batch/edge-bench/runtime.ts'
import type { FuzzEdge } from './edge.ts'
import { WRITE_KEY } from './known.ts'

/** What a runtime holds: the Worker's isolate (V8's heap and buffers), and the whole process, in megabytes. */
export type Held = { isolate: number; process: number }

const MEGABYTE = 1024 * 1024

/**
 * Collects the garbage of every isolate of the process: that of those which stand for KV, R2 and limits looks small to V8, which lets
 * it lie, and holds a lot outside of its heap.
 */
export async function collectGarbage({ inspectorPort, url, stores }: FuzzEdge): Promise<void> {
  const event = { writeKey: WRITE_KEY, consent: 'denied', events: [{ id: 'awake-0000', type: 'click', item: 'awake' }] }
  await collectAll(inspectorPort, async () => {
    await (await fetch(`${url}/v1/events`, { method: 'POST', body: JSON.stringify(event) })).arrayBuffer()
    await Promise.all([stores.kv.get('awake'), stores.blobs.list('awake/'), stores.euBlobs?.list('awake/')])
  })
}

/** V8 gives pages that have become empty back when it gets round to it: of so many looks at the process the least is what it holds. */
const LOOKS = 3

/** What is held when nothing is left that could be collected. */
export async function heldBy(edge: FuzzEdge): Promise<Held> {
  const resident: number[] = []
  for (let look = 0; look < LOOKS; look++) {
    await collectGarbage(edge)
    resident.push(residentMb(edge.pid))
  }
  const { heap, buffers } = await heapOf(edge.inspectorPort, async () => {
    await (await fetch(`${edge.url}/v1/visitors`, { method: 'OPTIONS' })).arrayBuffer()
  })
  return { isolate: (heap + buffers) / MEGABYTE, process: Math.min(...resident) }
}

/** A heap may be so much larger whatever was asked of it: caches fill up, code is compiled. */
const ONCE_MB = 12
/** And so much more for each request: nothing, but for what the allocator rounds. */
const EACH_BYTES = 100
/** A process gives back to the system later than it could, or never. */
const PROCESS_FACTOR = 3

/** Which of the two holds more, `requests` later, than can be anything but a leak. */
export function grown(first: Held, last: Held, requests: number): (keyof Held)[] {
  const allowed = ONCE_MB + (EACH_BYTES * requests) / MEGABYTE
  const most: Held = { isolate: allowed, process: PROCESS_FACTOR * allowed }
  return (['isolate', 'process'] as const).filter((where) => last[where] - first[where] > most[where])
}
