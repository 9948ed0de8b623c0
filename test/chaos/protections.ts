/**
 * What keeps Nightjar whole, each with the source it stands in and what that reads like with the protection gone. Counter-tests
 * switch them off, in a bundle or a process of their own, to show that the test would notice. Code that is not found exactly once
 * is an error: whoever moves a protection finds its counter-test here.
 */
export type Protection = {
  name: string
  /** Where it runs: in the Worker, or in the night. */
  at: 'edge' | 'night'
  file: string
  code: string
  /** At the edge, where one build has all of them, with `isWithout(name)` to tell whether it is switched off. */
  weakened: string
}

export const protections: readonly Protection[] = [
  {
    name: 'packs are what their name says',
    at: 'edge',
    file: 'shared/release/container.ts',
    code: '(await contentHash(new Uint8Array(buffer))) !== hash)',
    weakened: "(await contentHash(new Uint8Array(buffer))) !== hash && !isWithout('packs are what their name says'))",
  },
  {
    name: 'the bundled list',
    at: 'edge',
    file: 'workers/serving/without-release.ts',
    code: '    return parsed.success ? parsed.output.items : []',
    weakened: "    return parsed.success && !isWithout('the bundled list') ? parsed.output.items : []",
  },
  {
    name: 'the rungs below a failed one',
    at: 'edge',
    file: 'workers/serving/from-releases.ts',
    code: "    warn('answer-late', error)",
    weakened: "    if (isWithout('the rungs below a failed one')) throw error",
  },
  {
    name: 'the rungs below a failed one',
    at: 'edge',
    file: 'workers/serving/from-releases.ts',
    code: "    warn('rung-failed', error, { release: current.loaded.release })",
    weakened: "    if (isWithout('the rungs below a failed one')) throw error",
  },
  {
    name: 'the rungs below a failed one',
    at: 'edge',
    file: 'workers/releases/current.ts',
    code: "    warn('release-unusable', error, { release: entry.release })",
    weakened: "    if (isWithout('the rungs below a failed one')) throw error",
  },
  {
    name: 'rows belong to one release',
    at: 'edge',
    file: 'workers/releases/pack-reader.ts',
    code: '  const decoded = new Map<number, DisplayRow>()',
    weakened:
      "  const decoded = isWithout('rows belong to one release') ? ((globalThis as { rows?: Map<number, DisplayRow> }).rows ??= new Map()) : new Map<number, DisplayRow>()",
  },
  {
    name: 'an end to waiting',
    at: 'edge',
    file: 'workers/within.ts',
    code: '    const timer = setTimeout(',
    weakened: "    const timer = isWithout('an end to waiting') ? undefined : setTimeout(",
  },
  {
    name: 'events are kept before they are acknowledged',
    at: 'edge',
    file: 'workers/objects/event-log.ts',
    code: '    this.posts.add({ received, lines, network, mark })',
    weakened: `
    const add = () => this.posts.add({ received, lines, network, mark })
    if (isWithout('events are kept before they are acknowledged')) setTimeout(add, 2000)
    else add()`,
  },
  {
    name: 'a miss is soon forgotten',
    at: 'edge',
    file: 'workers/releases/pack-reader.ts',
    code: '(await read(KV_CACHE_SECONDS)) ?? (await read(MISS_CACHE_SECONDS))',
    weakened: "(await read(KV_CACHE_SECONDS)) ?? (isWithout('a miss is soon forgotten') ? null : await read(MISS_CACHE_SECONDS))",
  },
  {
    name: 'a manifest is what its id says',
    at: 'edge',
    file: 'shared/release/manifest.ts',
    code: 'if (id !== entry.release) throw',
    weakened:
      "if (isWithout('a manifest is what its id says')) return { release: entry.release, manifest: parsed.output }\n  if (id !== entry.release) throw",
  },
  {
    name: 'another shard takes a post',
    at: 'edge',
    file: 'workers/objects/event-log-client.ts',
    code: '.slice(0, MOST_TRIES)',
    weakened: ".slice(0, isWithout('another shard takes a post') ? 1 : MOST_TRIES)",
  },
  {
    name: 'another shard takes a post',
    at: 'edge',
    file: 'workers/objects/event-log-client.ts',
    code: 'Number(since(failedAt',
    weakened: "Number(!isWithout('another shard takes a post') && since(failedAt",
  },
  {
    name: 'a visitor whose object fails is a stranger',
    at: 'edge',
    file: 'workers/objects/visitor-client.ts',
    code: "    warn('visitor-object-failed', error)",
    weakened: "    if (isWithout('a visitor whose object fails is a stranger')) throw error",
  },
  {
    name: 'a failed flush is tried again',
    at: 'edge',
    file: 'workers/objects/event-log.ts',
    code: '      await this.ctx.storage.setAlarm(Date.now() + this.retryAfter())',
    weakened: "      if (!isWithout('a failed flush is tried again')) await this.ctx.storage.setAlarm(Date.now() + this.retryAfter())",
  },
  {
    name: 'files are named by what is in them',
    at: 'edge',
    file: 'workers/objects/event-log.ts',
    code: 'first.received, first.seq, last)',
    weakened: "first.received, ...(isWithout('files are named by what is in them') ? [0, 0] : [first.seq, last]))",
  },
  {
    name: 'a session that failed is dropped',
    at: 'edge',
    file: 'workers/scoring/scorer.ts',
    code: '      drop(error)\n    }\n  }\n  const scores',
    weakened: "      drop(error)\n      if (isWithout('a session that failed is dropped')) throw error\n    }\n  }\n  const scores",
  },
  {
    name: 'weights are numbers',
    at: 'edge',
    file: 'shared/release/model-pack.ts',
    code: 'if (!weights.every((weight) => Math.abs(weight) <= MOST))',
    weakened: "if (!weights.every((weight) => Math.abs(weight) <= MOST) && !isWithout('weights are numbers'))",
  },
  {
    name: 'what a clock noted that was set back is old',
    at: 'edge',
    file: 'workers/since.ts',
    code: 'return age < 0 ?',
    weakened: "return age < 0 && !isWithout('what a clock noted that was set back is old') ?",
  },
  {
    name: 'the pointer moves last',
    at: 'night',
    file: 'batch/release/publish.ts',
    code: '  await kv.put(missing.map((hash) => ({ key: packKey(hash), value: bytesOf(packs, hash) })))',
    weakened: `
  await writeChannel(kv, { v: 1, stable: { release, manifest }, canary: null, percent: 0, guard: null, previous: channel?.stable ?? null, movedAt: now })
  await new Promise((resolve) => setTimeout(resolve, 2000))
  await kv.put(missing.map((hash) => ({ key: packKey(hash), value: bytesOf(packs, hash) })))`,
  },
  {
    name: 'a copy of the archive is whole or not there',
    at: 'night',
    file: 'batch/night/edge-events.ts',
    code: '.part`, fit)',
    weakened: '`, fit)',
  },
  {
    name: 'a copy of the archive is whole or not there',
    at: 'night',
    file: 'batch/night/edge-events.ts',
    code: 'renameSync(',
    weakened: 'void (',
  },
  {
    name: 'a night takes all that is archived',
    at: 'night',
    file: 'batch/night/edge-events.ts',
    code: 'const events = await archive.list(EVENTS_PREFIX)',
    weakened: 'const events = (await archive.list(EVENTS_PREFIX)).filter((key) => key.includes(new Date().toISOString().slice(0, 10)))',
  },
  {
    name: 'one night at a time',
    at: 'night',
    file: 'batch/night/lock.ts',
    code: "    lock.exec('BEGIN EXCLUSIVE')",
    weakened: '',
  },
  {
    name: 'an event counts once',
    at: 'night',
    file: 'batch/clean.ts',
    code: 'OVER (PARTITION BY id, item ORDER BY seq) > 1',
    weakened: 'OVER (PARTITION BY id, item, rowid ORDER BY seq) > 1',
  },
]

/** @returns the source without those of the protections that are in it; null where there is none */
export function weakenedSource(file: string, source: string, all: readonly Protection[]): string | null {
  const own = all.filter((protection) => protection.file === file)
  if (own.length === 0) return null
  return own.reduce((text, { name, code, weakened }) => {
    if (text.split(code).length !== 2) throw new Error(`the protection "${name}" is no longer found in ${file}: test/chaos/protections.ts`)
    return text.replace(code, () => weakened)
  }, source)
}
