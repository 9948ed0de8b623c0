import { doJobs } from '../../../batch/processes.ts'

/** Ends by the signal that is named, unless wrappers are left as they are. */
doJobs(async ({ signal, bytes }: { signal: 'SIGTRAP' | null; bytes: Uint8Array }) => {
  const second = process.execArgv.length > 0
  if (signal !== null && !second) process.kill(process.pid, signal)
  return { second, sum: bytes.reduce((sum, byte) => sum + byte, 0) }
})
