import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AUDIT_START, type AuditEntry, nextEntry, verifyChain } from '../../shared/audit.ts'

async function chain(length: number): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  for (let i = 0; i < length; i++)
    entries.push(await nextEntry(entries.at(-1) ?? AUDIT_START, { action: 'erasure', actor: 'visitor', detail: { visitors: i } }, 1000 * i))
  return entries
}

describe('an audit log', () => {
  it('is whole as it was written, and says where it ends', async () => {
    const entries = await chain(5)
    const read: unknown[] = JSON.parse(JSON.stringify(entries))
    expect(await verifyChain(read)).toEqual({ head: { seq: 5, hash: entries[4]?.hash }, fault: null })
    expect(await verifyChain([])).toEqual({ head: AUDIT_START, fault: null })
  })

  it('shows every line that was changed, taken out, put in or moved, and which', async () => {
    const entries = await chain(8)
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 6 }), fc.constantFrom('change', 'drop', 'double', 'swap', 'forge', 'spoil'), async (i, how) => {
        const read: unknown[] = structuredClone(entries)
        const line = read[i] as AuditEntry
        if (how === 'change') line.detail.visitors = 99
        if (how === 'drop') read.splice(i, 1)
        if (how === 'double') read.splice(i, 0, line)
        if (how === 'swap') read.splice(i, 2, read[i + 1], line)
        if (how === 'spoil') read[i] = 'not a line'
        // With a hash of its own that fits, the next line no longer follows it.
        if (how === 'forge') read[i] = await nextEntry(entries[i - 1] ?? AUDIT_START, { ...line, actor: 'nobody' }, 0)
        expect((await verifyChain(read)).fault).toMatch(/line \d/)
      }),
      { numRuns: 60 },
    )
  })

  it('cannot show by itself that its end was cut off: that takes another who knows where it ended', async () => {
    const entries = await chain(4)
    expect((await verifyChain(entries.slice(0, 3))).head.seq).toBe(3)
  })
})
