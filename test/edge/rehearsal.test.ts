import { expect, it } from 'vitest'
import { isolate } from '../../workers/releases/isolate.ts'
import { counters, onnxState } from '../../workers/scoring/scorer.ts'
import { rehearse } from '../../workers/serving/rehearsal.ts'
import { cold } from './fixtures/edge.ts'

it('the rehearsal of a starting isolate answers as a visitor is answered, and leaves nothing behind', async () => {
  cold()
  const answer: { rung: string; items: { reasons: { code: string }[]; values: object }[] } = JSON.parse(await rehearse())
  expect(answer).toMatchObject({ rung: 'reference', region: '*', cohort: expect.any(Number) })
  expect(answer.items).toHaveLength(40)
  expect(new Set(answer.items.flatMap(({ reasons }) => reasons.map(({ code }) => code)))).toContain('similar-to')
  expect(answer.items[0].values).toMatchObject({ category: 'a' })
  expect(isolate.packs.usage()).toEqual({ hits: 0, misses: 0, bytes: 0 })
  expect([isolate.channel, isolate.overlay, isolate.releases.size]).toEqual([null, null, 0])
  expect([counters.onnxStarts, onnxState()]).toEqual([0, 'idle'])
})
