/**
 * Where work goes that the answer does not wait for; all that is needed of an execution context. `until`, in Unix milliseconds,
 * is when an answer must be made of what has been read by then; without it there is no such hurry.
 */
export type Background = Pick<ExecutionContext, 'waitUntil'> & { readonly until?: number }

/** How long a visitor waits for a release before another rung answers. */
const ANSWER_WITHIN_MS = 250

/** For a request whose answer is due soon. Reads that come too late for it go on for those that follow. */
export const dueSoon = (ctx: Background): Background => ({
  waitUntil: (work) => ctx.waitUntil(work),
  until: Date.now() + ANSWER_WITHIN_MS,
})

/** For what is done behind the answer. */
export const behind = (ctx: Background): Background => ({ waitUntil: (work) => ctx.waitUntil(work) })

/** The same, less some of the time: for what an answer can do without, while something that it needs is still to be read. */
export const leaving = (ms: number, ctx: Background): Background =>
  ctx.until === undefined ? ctx : { waitUntil: (work) => ctx.waitUntil(work), until: ctx.until - ms }

export const timeLeft = ({ until = Number.POSITIVE_INFINITY }: Background): number => until - Date.now()
