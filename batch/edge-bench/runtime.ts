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

/**
 * What V8 holds for the Worker after a collection of garbage, in bytes: its heap, and the ArrayBuffers beside it.
 * @param wake sends the Worker a request: the inspector collects garbage only while the isolate has something to do
 */
export async function heapOf(inspectorPort: number, wake: () => Promise<unknown>): Promise<{ heap: number; buffers: number }> {
  const socket = new WebSocket(`ws://127.0.0.1:${inspectorPort}/core:user:nightjar`)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true })
    socket.addEventListener('error', () => reject(new Error('the inspector refused the connection')), { once: true })
  })
  const answers = new Map<number, unknown>()
  socket.addEventListener('message', ({ data }) => {
    const { id, result }: { id?: number; result?: unknown } = JSON.parse(String(data))
    if (id !== undefined) answers.set(id, result)
  })
  let sent = 0
  const call = async (method: string): Promise<unknown> => {
    const id = ++sent
    socket.send(JSON.stringify({ id, method }))
    for (const until = Date.now() + ANSWER_MS; Date.now() < until; await wake()) if (answers.has(id)) return answers.get(id)
    throw new Error(`the inspector did not answer ${method} within ${ANSWER_MS / 1000} s`)
  }
  try {
    for (const method of ['Runtime.enable', 'HeapProfiler.enable', 'HeapProfiler.collectGarbage']) await call(method)
    const { usedSize, backingStorageSize } = (await call('Runtime.getHeapUsage')) as HeapUsage
    return { heap: usedSize, buffers: backingStorageSize }
  } finally {
    socket.close()
  }
}
