import { registerHooks } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { protections, weakenedSource } from './protections.ts'

/*
 * Preloaded (`node --import`) into a process of the night for a counter-test: protections that NIGHTJAR_WITHOUT names, a JSON
 * list, do not hold in it.
 */

const ROOT = join(import.meta.dirname, '../..')
const names: string[] = JSON.parse(process.env.NIGHTJAR_WITHOUT ?? '[]')
const switchedOff = protections.filter(({ name, at }) => at === 'night' && names.includes(name))

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.startsWith('file:') || !url.endsWith('.ts') || loaded.source === undefined || loaded.source === null) return loaded
    const source = weakenedSource(relative(ROOT, fileURLToPath(url)), Buffer.from(loaded.source as Uint8Array).toString(), switchedOff)
    return source === null ? loaded : { ...loaded, source }
  },
})
