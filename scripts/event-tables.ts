import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { commonFields, NativeEventSchema } from '../shared/schemas/events.ts'
import { ga4Events } from '../shared/schemas/ga4.ts'
import { segmentEvents } from '../shared/schemas/segment.ts'

export const EVENTS_DOC = join(import.meta.dirname, '../docs/events.md')

/** The document with its tables as the schemas have them. @throws Error where the marks are missing */
export function withEventTables(document: string): string {
  return between(between(document, 'events', `${commonTable()}\n${typeTable()}`), 'foreign', foreignTable())
}

function between(document: string, name: string, text: string): string {
  const begin = `<!-- ${name}: written by npm run openapi -->\n`
  const [from, to] = [document.indexOf(begin), document.indexOf(`<!-- /${name} -->`)]
  if (from < 0 || to < from) throw new Error(`docs/events.md: the marks ${begin.trim()} and <!-- /${name} --> must stand around the table`)
  return `${document.slice(0, from)}${begin}${text}${document.slice(to)}`
}

const [first] = NativeEventSchema.options

function commonTable(): string {
  const rows = Object.entries(first.entries).filter(([name]) => commonFields.includes(name))
  return `| every event has | |\n|---|---|\n${rows.map(([name, of]) => `| \`${name}\`${needed(of)} | ${aboutOf(of)} |\n`).join('')}`
}

function typeTable(): string {
  const rows = NativeEventSchema.options.map((option) => {
    const own = Object.entries(option.entries).filter(([name]) => name !== 'type' && !commonFields.includes(name))
    const fields = own.map(([name, of]) => `\`${name}\`${needed(of)}: ${aboutOf(of)}`)
    return `| \`${option.entries.type.literal}\` | ${fields.join('; ')} | ${v.getDescription(option) ?? ''} |\n`
  })
  return `| \`type\` | fields beside those (* = needed) | counts as |\n|---|---|---|\n${rows.join('')}`
}

function foreignTable(): string {
  const names = (events: Record<string, string>, type: string): string =>
    Object.keys(events)
      .filter((name) => events[name] === type)
      .map((name) => `\`${name}\``)
      .join(', ')
  const types = [...new Set(Object.values(ga4Events))]
  const rows = types.map((type) => `| ${names(ga4Events, type)} | ${names(segmentEvents, type)} | \`${type}\` |\n`)
  return `| GA4 | Segment | becomes |\n|---|---|---|\n${rows.join('')}`
}

const isOptional = (of: v.GenericSchema): of is v.OptionalSchema<v.GenericSchema, undefined> => of.type === 'optional'
const needed = (of: v.GenericSchema): string => (isOptional(of) ? '' : '*')
const aboutOf = (of: v.GenericSchema): string => v.getDescription(isOptional(of) ? of.wrapped : of) ?? ''

if (import.meta.main) writeFileSync(EVENTS_DOC, withEventTables(readFileSync(EVENTS_DOC, 'utf8')))
