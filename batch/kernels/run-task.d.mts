import type { Kernels } from './kernels.ts'
import type { Task } from './task.ts'

export declare function runTask(kernels: Kernels, next: Int32Array, thread: number, task: Task, until?: number): boolean
