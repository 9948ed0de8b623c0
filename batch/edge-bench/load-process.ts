import { startProcess } from '../processes.ts'
import type { Load, Loaded } from './load.ts'

export type LoadProcess = { put(load: Load): Promise<Loaded>; stop(): void }

export function startLoadProcess(): LoadProcess {
  const { ask, stop } = startProcess<Load, Loaded>(new URL('load.ts', import.meta.url))
  return { put: ask, stop }
}
