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
  /** Expressions in which `isWithout(name)` tells whether it is switched off. */
  weakened: string
}

export const protections: readonly Protection[] = [
  {
    name: 'hash of packs',
    at: 'edge',
    file: 'shared/release/container.ts',
    code: '(await contentHash(new Uint8Array(buffer))) !== hash)',
    weakened: "(await contentHash(new Uint8Array(buffer))) !== hash && !isWithout('hash of packs'))",
  },
  {
    name: 'the bundled list',
    at: 'edge',
    file: 'workers/serving/answer.ts',
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
    name: 'rows of one release',
    at: 'edge',
    file: 'workers/releases/pack-reader.ts',
    code: '  const decoded = new Map<number, DisplayRow>()',
    weakened:
      "  const decoded = isWithout('rows of one release') ? ((globalThis as { rows?: Map<number, DisplayRow> }).rows ??= new Map()) : new Map<number, DisplayRow>()",
  },
  {
    name: 'an end to waiting for KV',
    at: 'edge',
    file: 'workers/within.ts',
    code: '    timer = setTimeout(',
    weakened: "    if (!isWithout('an end to waiting for KV')) timer = setTimeout(",
  },
  {
    name: 'events are kept before they are acknowledged',
    at: 'edge',
    file: 'workers/objects/event-log.ts',
    code: "    this.ctx.storage.sql.exec('INSERT INTO posts (received, lines, network, mark) VALUES (?, ?, ?, ?)', received, lines, network, mark)",
    weakened: `
      const insert = () => this.ctx.storage.sql.exec('INSERT INTO posts (received, lines, network, mark) VALUES (?, ?, ?, ?)', received, lines, network, mark)
      if (isWithout('events are kept before they are acknowledged')) setTimeout(insert, 200)
      else insert()`,
  },
  {
    name: 'the pointer moves last',
    at: 'night',
    file: 'batch/release/publish.ts',
    code: '  await kv.put(missing.map((hash) => ({ key: packKey(hash), value: bytesOf(packs, hash) })))',
    weakened: `
  if (isWithout('the pointer moves last')) {
    await writeChannel(kv, { v: 1, stable: { release, manifest }, canary: null, percent: 0, guard: null, previous: channel?.stable ?? null, movedAt: now })
    await new Promise((resolve) => setTimeout(resolve, 2000))
  }
  await kv.put(missing.map((hash) => ({ key: packKey(hash), value: bytesOf(packs, hash) })))`,
  },
  {
    name: 'an event counts once',
    at: 'night',
    file: 'batch/ingest.ts',
    code: 'QUALIFY row_number() OVER (PARTITION BY id, item ORDER BY seq) > 1)',
    // Put into a template, as the code is.
    weakened: 'QUALIFY $' + "{!isWithout('an event counts once')} AND row_number() OVER (PARTITION BY id, item ORDER BY seq) > 1)",
  },
]

/** The source with every protection in it made one that can be switched off; null where there is none in it. */
export function weakenedSource(file: string, source: string): string | null {
  const own = protections.filter((protection) => protection.file === file)
  if (own.length === 0) return null
  return own.reduce((text, { name, code, weakened }) => {
    if (text.split(code).length !== 2) throw new Error(`the protection "${name}" is no longer found in ${file}: test/chaos/protections.ts`)
    return text.replace(code, () => weakened)
  }, source)
}
