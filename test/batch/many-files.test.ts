import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ingest } from '../../batch/ingest.ts'
import { edge } from '../../batch/sources/edge.ts'

const folder = mkdtempSync(join(tmpdir(), 'nightjar-many-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A few hours of four shards that flush once a minute. */
const FILES = 1500

it('an archive of very many small files fits in little memory', async () => {
  const hour = join(folder, 'events/date=2026-11-26/hour=10')
  mkdirSync(hour, { recursive: true })
  for (let i = 0; i < FILES; i++) {
    const event = {
      v: 1,
      id: `event-${String(i).padStart(6, '0')}`,
      type: 'click',
      item: `item-${i}`,
      visitor: `visitor-${i % 50}`,
      country: 'GB',
    }
    const at = 1_795_687_200_000 + 60_000 * i
    writeFileSync(join(hour, `shard-${i}-${i}.ndjson`), `${JSON.stringify({ ...event, at, received: at })}\n`)
  }
  const { deeds } = await ingest([edge(folder)], { threads: 2, memoryMb: 300, workDirectory: folder })
  expect(deeds.count).toBe(FILES)
})
