import type { KernelName } from './kernels.ts'

/** A kernel's work in `count` parts, of which a thread takes `step` at a time. */
export type Task = {
  kernel: KernelName
  /** Address of the first thread's scratch memory, and how many bytes each has. */
  scratch: number
  scratchBytes: number
  arguments: readonly number[]
  count: number
  step: number
}

/** What a thread is started with. @see worker.mjs */
export type ThreadData = {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  /** Shared with the other threads: the first part that nobody has taken. */
  next: Int32Array
  thread: number
}
