import { app } from './app.ts'
import { runCron } from './cron/scheduled.ts'

export { AuditLog } from './objects/audit-log.ts'
export { EventLog } from './objects/event-log.ts'
export { Visitor } from './objects/visitor.ts'

export default {
  fetch: app.fetch,
  scheduled: (controller, env, ctx) => {
    ctx.waitUntil(runCron(env, ctx, controller.scheduledTime))
  },
} satisfies ExportedHandler<Env>
