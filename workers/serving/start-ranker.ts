import { type Background, behind } from '../background.ts'
import { readChannel } from '../releases/channel-reader.ts'
import { isToBeStarted, startsInSteps, warmUp } from '../scoring/scorer.ts'

/**
 * Has ONNX started where the live release has a ranker: as soon as the channel says so, while packs are on their way. No answer waits
 * for it, and what would hold this one up starts behind it.
 */
export function startRanker(env: Env, ctx: Background, answered: Promise<unknown>): void {
  if (isToBeStarted(env)) ctx.waitUntil(startedBeside(env, behind(ctx), answered))
}

async function startedBeside(env: Env, ctx: Background, answered: Promise<unknown>): Promise<void> {
  const channel = await readChannel(env, ctx)
  if (channel?.stable?.manifest.ranker !== 'mlp') return
  if (!startsInSteps()) await answered
  warmUp(env, ctx)
}
