// Plain JavaScript: a thread that has to load what reads TypeScript takes twice as long to start, and a night starts dozens.
import { parentPort, workerData } from 'node:worker_threads'
import { runTask } from './run-task.mjs'

/** @type {import('./task.ts').ThreadData} */
const { module, memory, next, thread } = workerData
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports

parentPort?.on('message', (task) => {
  runTask(kernels, next, thread, task)
  parentPort?.postMessage('done')
})
