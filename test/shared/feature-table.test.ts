import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { RANKING_DOC, withFeatureTable } from '../../scripts/feature-table.ts'

it('docs/ranking.md names the features that the code has (npm run graph writes them)', () => {
  const document = readFileSync(RANKING_DOC, 'utf8')
  expect(withFeatureTable(document)).toBe(document)
})
