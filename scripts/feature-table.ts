import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { features } from '../shared/ranking/features.ts'

export const RANKING_DOC = join(import.meta.dirname, '../docs/ranking.md')

const BEGIN = '<!-- features: written by npm run graph -->\n'
const END = '<!-- /features -->'

/** The document with its table of features as the code has them. @throws Error where the marks are missing */
export function withFeatureTable(document: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`docs/ranking.md: the marks ${BEGIN.trim()} and ${END} must stand around the table`)
  const figure = (value: number): string => String(Math.round(value * 100) / 100)
  const rows = features.map(({ name, about, range: [low, high] }) => `| \`${name}\` | ${about} | ${figure(low)} … ${figure(high)} |\n`)
  return `${document.slice(0, from)}${BEGIN}| feature | says | range |\n|---|---|---|\n${rows.join('')}${document.slice(to)}`
}

if (import.meta.main) writeFileSync(RANKING_DOC, withFeatureTable(readFileSync(RANKING_DOC, 'utf8')))
