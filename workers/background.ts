/**
 * Where work goes that the answer does not wait for; all that is needed of an execution context. `until`, in Unix milliseconds,
 * is when an answer must be made of what has been read by then; without it there is no such hurry.
 */
export type Background = Pick<ExecutionContext, 'waitUntil'> & { readonly until?: number; readonly givenMs?: number }

const USUAL_MS = 250

/** How many milliseconds an answer may wait for what it can do without. */
export const answerWithin = (env: Env): number => Number(env.ANSWER_WITHIN_MS) || USUAL_MS

/** For a request whose answer is due soon. Reads that come too late for it go on for those that follow. */
export function dueSoon(env: Env, ctx: Background): Background {
  const givenMs = answerWithin(env)
  return { waitUntil: (work) => ctx.waitUntil(work), until: Date.now() + givenMs, givenMs }
}

/** For what is done behind the answer. */
export const behind = (ctx: Background): Background => ({ waitUntil: (work) => ctx.waitUntil(work) })

/** The same, less a share of the time: for what an answer can do without, while something that it needs is still to be read. */
export const leaving = (share: number, ctx: Background): Background =>
  ctx.until === undefined ? ctx : { waitUntil: (work) => ctx.waitUntil(work), until: ctx.until - share * (ctx.givenMs ?? 0) }

export const timeLeft = ({ until = Number.POSITIVE_INFINITY }: Background): number => until - Date.now()
