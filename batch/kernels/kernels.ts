import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What assembly/ exports, made by "npm run kernels". */
export const KERNELS_FILE = join(import.meta.dirname, 'kernels.wasm')

export type KernelName =
  | 'approachRows'
  | 'assignRows'
  | 'gramRows'
  | 'ridgeRows'
  | 'nearestRows'
  | 'rankerGradients'
  | 'squareBlocks'
  | 'crossParts'
  | 'triangularRows'

/** Does parts `from` … `to` - 1 (the last two arguments); the first is the address of the thread's own scratch memory. */
export type Kernels = Record<KernelName, (scratch: number, ...rest: number[]) => void>

let compiled: WebAssembly.Module | undefined

export const kernelModule = (): WebAssembly.Module => {
  compiled ??= new WebAssembly.Module(readFileSync(KERNELS_FILE))
  return compiled
}

export const instantiate = (module: WebAssembly.Module, memory: WebAssembly.Memory): Kernels =>
  new WebAssembly.Instance(module, { env: { memory } }).exports as Kernels
