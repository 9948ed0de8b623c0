import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { EVENTS_DOC, withEventTables } from '../../scripts/event-tables.ts'

it('docs/events.md has the tables that the schemas make (npm run openapi writes them)', () => {
  const document = readFileSync(EVENTS_DOC, 'utf8')
  expect(withEventTables(document)).toBe(document)
})
