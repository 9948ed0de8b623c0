import { doJobs } from '../../../batch/processes.ts'

doJobs(async ({ how }: { how: 'signal' | 'code' }) => {
  if (how === 'signal') process.kill(process.pid, 'SIGTRAP')
  else process.exit(3)
  return {}
})
