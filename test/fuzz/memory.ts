import { heapOf, residentMb } from '../../batch/edge-bench/runtime.ts'
import type { FuzzEdge } from './edge.ts'

/** What a runtime holds: of V8 after a collection (heap and buffers), and of the system, in megabytes. */
export type Held = { heap: number; resident: number }

const MEGABYTE = 1024 * 1024

export async function heldBy({ inspectorPort, pid, url }: FuzzEdge): Promise<Held> {
  const wake = async (): Promise<void> => {
    await (await fetch(`${url}/v1/visitors`, { method: 'OPTIONS' })).arrayBuffer()
  }
  const { heap, buffers } = await heapOf(inspectorPort, wake)
  return { heap: (heap + buffers) / MEGABYTE, resident: residentMb(pid) }
}

/** A heap may be so much larger whatever was asked of it: caches fill up, code is compiled. */
const ONCE_MB = 12
/** And so much more for each request: nothing, but for what the allocator rounds. */
const EACH_BYTES = 100

/** How much an isolate may hold more after so many requests before it is called a leak, in megabytes. */
export const allowedGrowth = (requests: number): number => ONCE_MB + (EACH_BYTES * requests) / MEGABYTE
