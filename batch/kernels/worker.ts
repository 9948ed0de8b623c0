import { parentPort, workerData } from 'node:worker_threads'
import { instantiate } from './kernels.ts'
import { runTask, type Task } from './task.ts'

/** What a thread is started with. */
export type ThreadData = { module: WebAssembly.Module; memory: WebAssembly.Memory; next: Int32Array; thread: number }

const { module, memory, next, thread } = workerData as ThreadData
const kernels = instantiate(module, memory)

parentPort?.on('message', (task: Task) => {
  runTask(kernels, next, thread, task)
  parentPort?.postMessage('done')
})
