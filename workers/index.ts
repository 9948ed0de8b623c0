import { answer } from './app.ts'
import { runCron } from './cron/scheduled.ts'
import { warn } from './log.ts'
import { rehearse } from './serving/rehearsal.ts'

export { AuditLog } from './objects/audit-log.ts'
export { EventLog } from './objects/event-log.ts'
export { LiveState } from './objects/live-state.ts'
export { Visitor } from './objects/visitor.ts'

rehearse().catch((error: unknown) => warn('rehearsal-failed', error))

export default {
  fetch: answer,
  scheduled: (controller, env, ctx) => {
    ctx.waitUntil(runCron(env, ctx, controller.scheduledTime))
  },
} satisfies ExportedHandler<Env>
