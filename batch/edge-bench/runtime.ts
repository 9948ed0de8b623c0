import { readdirSync, readFileSync } from 'node:fs'

const PAGE_BYTES = 4096

/**
 * Milliseconds of CPU that the threads of a process have used, in user and kernel mode, to the nanosecond; what a thread has used
 * goes with it, and those of the runtime stay. @throws where there is no /proc
 */
export const cpuMs = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [nanoseconds] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
    return sum + Number(nanoseconds) / 1e6
  }, 0)

/** Megabytes of a process in memory. */
export const residentMb = (pid: number): number =>
  (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES) / 1024 / 1024

type HeapUsage = { usedSize: number; backingStorageSize: number }

const ANSWER_MS = 30_000
/** An isolate that has something to do answers within this long of another one. */
const NEXT_ANSWER_MS = 2_000

/**
 * What V8 holds for the Worker after a collection of garbage, in bytes: its heap, and the ArrayBuffers beside it.
 * @param wake sends the Worker a request: the inspector collects garbage only while the isolate has something to do
 */
export async function heapOf(inspectorPort: number, wake: () => Promise<unknown>): Promise<{ heap: number; buffers: number }> {
  const inspector = await inspect(`ws://127.0.0.1:${inspectorPort}/core:user:nightjar`)
  const looked = collect(inspector).then(() => inspector.call('Runtime.getHeapUsage')) as Promise<HeapUsage>
  try {
    if (!(await awake(looked, wake, ANSWER_MS))) throw new Error(`the inspector did not answer within ${ANSWER_MS / 1000} s`)
    const { usedSize, backingStorageSize } = await looked
    return { heap: usedSize, buffers: backingStorageSize }
  } finally {
    await inspector.close()
  }
}

/**
 * Collects the garbage of every isolate of a local runtime that has anything to do: beside the Worker's there are those in which
 * KV, R2, limits and routing are simulated. V8 does so by itself when an isolate's heap is full, whatever the little that is in
 * it holds outside.
 * @param inspectorPort of the runtime @param wake gives each of them something to do
 */
export async function collectAll(inspectorPort: number, wake: () => Promise<unknown>): Promise<void> {
  const isolates = (await (await fetch(`http://127.0.0.1:${inspectorPort}/json`)).json()) as { webSocketDebuggerUrl: string }[]
  const inspectors = await Promise.all(isolates.map(({ webSocketDebuggerUrl }) => inspect(webSocketDebuggerUrl)))
  // Which of them are never asked for anything depends on what is deployed: they do not answer, and have no garbage.
  let left = inspectors.length
  let last = Date.now()
  for (const inspector of inspectors)
    void collect(inspector).then(() => {
      left--
      last = Date.now()
    })
  while (left > 0 && Date.now() - last < NEXT_ANSWER_MS) await wake()
  await Promise.all(inspectors.map(({ close }) => close()))
}

type Inspector = { call: (method: string) => Promise<unknown>; close: () => Promise<void> }

async function inspect(url: string): Promise<Inspector> {
  const socket = new WebSocket(url)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', () => reject(new Error('the inspector refused the connection')), { once: true })
  })
  const asked = new Map<number, (result: unknown) => void>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result }: { id?: number; result?: unknown } = JSON.parse(String(data))
    if (id !== undefined) asked.get(id)?.(result)
  })
  const call = (method: string): Promise<unknown> =>
    new Promise((resolve) => {
      const id = asked.size + 1
      asked.set(id, resolve)
      socket.send(JSON.stringify({ id, method }))
    })
  // An isolate has one inspector at a time: the next one must not come before this one has gone.
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve, { once: true }))
    socket.close()
    await closed
  }
  return { call, close }
}

async function collect({ call }: Inspector): Promise<void> {
  for (const method of ['Runtime.enable', 'HeapProfiler.enable', 'HeapProfiler.collectGarbage']) await call(method)
}

/** Wakes until `work` is done. @returns whether it was within `ms` */
async function awake(work: Promise<unknown>, wake: () => Promise<unknown>, ms: number): Promise<boolean> {
  let done = false
  const end = (): void => {
    done = true
  }
  work.then(end, end)
  for (const until = Date.now() + ms; !done && Date.now() < until; ) await wake()
  return done
}
