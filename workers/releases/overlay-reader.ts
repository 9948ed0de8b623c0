import { emptyOverlay, type Overlay, parseOverlay } from '../../shared/overlay.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import { type Background, behind } from '../background.ts'
import { warn } from '../log.ts'
import type { Reading } from '../reading.ts'
import { since } from '../since.ts'
import { TooLate } from '../within.ts'
import { isolate } from './isolate.ts'

const FRESH_MS = 5_000
const KV_CACHE_SECONDS = 30

/** The live state beside a release. The first request waits for it; without one, or while KV fails, nothing is overlaid. */
export function readOverlay(env: Env, ctx: Background): Reading<Overlay> {
  const known = isolate.overlay
  if (known === null) return refresh(env, ctx)
  if (since(known.at) > FRESH_MS && !isolate.reads.underWay(OVERLAY_KEY)) ctx.waitUntil(refresh(env, behind(ctx)))
  return known.value
}

/** Shows what an object has just made of a change, though KV may not show it for a minute. */
export function takeOverlay(text: string): void {
  const value = parseOverlay(text)
  if (value !== null && value.at >= (isolate.overlay?.value.at ?? 0)) isolate.overlay = { value, text, at: Date.now() }
}

async function refresh(env: Env, ctx: Background): Promise<Overlay> {
  const before = isolate.overlay?.value ?? emptyOverlay
  try {
    return await isolate.reads.get(ctx, OVERLAY_KEY, () => fetchOverlay(env, before))
  } catch (error) {
    warn('overlay-unreadable', error)
    // One that comes too late for this answer is still on its way.
    if (!(error instanceof TooLate)) isolate.overlay = { value: before, text: isolate.overlay?.text ?? null, at: Date.now() }
    return before
  }
}

async function fetchOverlay(env: Env, before: Overlay): Promise<Overlay> {
  const text = await env.RELEASES.get(OVERLAY_KEY, { type: 'text', cacheTtl: KV_CACHE_SECONDS })
  const read = text === isolate.overlay?.text ? before : text === null ? emptyOverlay : parseOverlay(text)
  if (read === null) throw new Error('the overlay is not one')
  // KV may show the value before the one that this isolate has seen, or has written.
  const value = text !== null && read.at < before.at ? before : read
  isolate.overlay = { value, text, at: Date.now() }
  return value
}
