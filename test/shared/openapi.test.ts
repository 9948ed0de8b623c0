import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OPENAPI_FILE, openApi } from '../../scripts/openapi.ts'

type Json = { [key: string]: unknown }

describe('docs/openapi.json', () => {
  it('is what the schemas say ("node scripts/openapi.ts" writes it)', () => {
    expect(JSON.parse(readFileSync(OPENAPI_FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(openApi())))
  })

  it('refers only to what it defines', () => {
    const description = JSON.parse(JSON.stringify(openApi())) as Json & { components: Record<string, Json> }
    const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference)
    expect(references.length).toBeGreaterThan(10)
    for (const reference of new Set(references)) {
      const [, kind = '', name] = /^#\/components\/(schemas|headers)\/(.+)$/.exec(reference ?? '') ?? []
      expect(Object.keys(description.components[kind] ?? {}), reference).toContain(name)
    }
  })

  it('takes a query’s filter by dots', () => {
    const text = JSON.stringify(openApi())
    for (const name of ['filter.category', 'filter.minPrice', 'filter.maxPrice', 'filter.available'])
      expect(text).toContain(`"name":"${name}"`)
  })
})
