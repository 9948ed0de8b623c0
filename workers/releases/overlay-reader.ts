import { emptyOverlay, type Overlay, parseOverlay } from '../../shared/overlay.ts'
import { OVERLAY_KEY } from '../../shared/release/keys.ts'
import type { Background } from '../background.ts'
import { isolate } from './isolate.ts'

const FRESH_MS = 5_000
const KV_CACHE_SECONDS = 30

/** The live state beside a release. The first request waits for it; without one, or while KV fails, nothing is overlaid. */
export async function readOverlay(env: Env, ctx: Background): Promise<Overlay> {
  const known = isolate.overlay
  if (known === null) return (await refresh(env)) ?? emptyOverlay
  if (Date.now() - known.at > FRESH_MS) ctx.waitUntil(refresh(env))
  return known.value
}

function refresh(env: Env): Promise<Overlay | null> {
  isolate.overlayRefresh ??= env.RELEASES.get(OVERLAY_KEY, { type: 'text', cacheTtl: KV_CACHE_SECONDS })
    .then((text) => {
      const value = text === null ? emptyOverlay : (parseOverlay(text) ?? isolate.overlay?.value ?? emptyOverlay)
      isolate.overlay = { value, at: Date.now() }
      return value
    })
    .catch(() => null)
    .finally(() => {
      isolate.overlayRefresh = null
    })
  return isolate.overlayRefresh
}
