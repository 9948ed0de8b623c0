import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, itemHash } from '../../shared/release/hash.ts'
import { checkEntry, ManifestError, packOfSlot, parseChannel, releaseId } from '../../shared/release/manifest.ts'
import { buildTinyRelease } from '../edge/fixtures/tiny-release.ts'

describe('a manifest', () => {
  it('is trusted under its own id only', async () => {
    const { entry } = await buildTinyRelease()
    expect(await checkEntry({ release: entry.release, manifest: JSON.parse(JSON.stringify(entry.manifest)) })).toEqual(entry)
    await expect(checkEntry({ ...entry, release: '0'.repeat(16) })).rejects.toBeInstanceOf(ManifestError)
    for (const change of [{ items: 61 }, { ranker: 'none' as const }, { metrics: { recall20: 0.6 } }, { now: -1 }, { extra: 1 }])
      await expect(checkEntry({ ...entry, manifest: { ...entry.manifest, ...change } })).rejects.toBeInstanceOf(ManifestError)
  })

  it('has the same id however its keys are ordered', async () => {
    const { manifest } = await buildTinyRelease()
    const turned = Object.fromEntries(Object.entries(manifest).reverse()) as typeof manifest
    expect(await releaseId(turned)).toBe(await releaseId(manifest))
  })

  it('is the same for the same input', async () => {
    const [a, b] = [await buildTinyRelease({ seed: 5 }), await buildTinyRelease({ seed: 5 })]
    expect(b.entry.release).toBe(a.entry.release)
    expect((await buildTinyRelease({ seed: 6 })).entry.release).not.toBe(a.entry.release)
  })
})

describe('a channel', () => {
  it('is refused where it is anything else', async () => {
    const { channel } = await buildTinyRelease()
    expect(parseChannel(JSON.stringify(channel)).stable.release).toBe(channel.stable.release)
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      '{"v":1}',
      JSON.stringify({ ...channel, v: 2 }),
      JSON.stringify({ ...channel, percent: 101 }),
    ])
      expect(() => parseChannel(text)).toThrow(ManifestError)
  })

  it('is a ManifestError or a channel whatever its text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          parseChannel(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ManifestError)
        }
      }),
    )
  })
})

it('canonical JSON is one text for one value', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse())
      expect(canonicalJson(turned)).toBe(canonicalJson(value))
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

it('packOfSlot finds the pack that holds the slot', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 30 }), fc.nat(), (sizes, at) => {
      let first = 0
      const packs = sizes.map((size) => {
        const pack = { first, end: first + size }
        first += size
        return pack
      })
      const slot = at % first
      const { first: from, end } = packs[packOfSlot(packs, slot)]
      expect(slot >= from && slot < end).toBe(true)
    }),
  )
})

it('itemHash is a 48-bit number that depends on every byte and on the salt', () => {
  const seen = new Set<number>()
  for (let i = 0; i < 100_000; i++) {
    const hash = itemHash(`item ${i}`, 0)
    expect(Number.isSafeInteger(hash) && hash >= 0 && hash < 2 ** 48).toBe(true)
    seen.add(hash)
  }
  expect(seen.size).toBe(100_000)
  expect(itemHash('item 1', 1)).not.toBe(itemHash('item 1', 0))
})
