import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const DOCUMENT = readFileSync(join(ROOT, 'docs/security.md'), 'utf8')

type Named = { file: string; title: string }

/** The rows of the table of threats. */
const rows = (document: string): string[][] =>
  document
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| threat '))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    )

/** The tests a cell names: a file, then titles in quotes. */
const testsIn = (cell: string): Named[] =>
  [...cell.matchAll(/`(test\/[^`]+)`((?:(?:: |, )"[^"]+")*)/g)].flatMap(([, file = '', titles = '']) => {
    const named = [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => ({ file, title }))
    return named.length > 0 ? named : [{ file, title: '' }]
  })

/** Whether a file has a test, or a group of them, of exactly this title. */
function isThere({ file, title }: Named): boolean {
  const path = join(ROOT, file)
  return title !== '' && existsSync(path) && readFileSync(path, 'utf8').includes(`('${title}'`)
}

describe('docs/security.md', () => {
  it('names for every threat what stands against it, and tests that are there under exactly that name', () => {
    const threats = rows(DOCUMENT)
    expect(threats.length).toBeGreaterThan(15)
    for (const [threat, stands, cell = ''] of threats) {
      const named = testsIn(cell)
      expect([threat, stands !== '' && named.length > 0]).toEqual([threat, true])
      expect(named.filter((one) => !isThere(one))).toEqual([])
      // Nothing of the cell is left unread: a path without a title, or a title without a path, proves nothing.
      expect([...cell.matchAll(/"[^"]+"/g)]).toHaveLength(named.length)
    }
  })

  it.each([
    ['a title that no test has', '| a | b | `test/shared/security-doc.test.ts`: "names nothing" |'],
    ['a file that is not there', '| a | b | `test/shared/gone.test.ts`: "names for every threat" |'],
    ['a file without a title', '| a | b | `test/shared/security-doc.test.ts` |'],
    ['the beginning of a title', '| a | b | `test/shared/security-doc.test.ts`: "names for every threat" |'],
  ])('would be found out with %s', (_, row) => {
    const [[, , cell = ''] = []] = rows(row)
    expect(testsIn(cell).every(isThere)).toBe(false)
  })
})
