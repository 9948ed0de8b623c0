import { app } from './app.ts'
import { runCron } from './cron/scheduled.ts'

export { EventLog } from './objects/event-log.ts'
export { Visitor } from './objects/visitor.ts'

export default {
  fetch: app.fetch,
  scheduled: (controller, env, ctx) => {
    ctx.waitUntil(runCron(env, ctx, controller.scheduledTime))
  },
} satisfies ExportedHandler<Env>
