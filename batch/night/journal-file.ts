import { appendFileSync, mkdirSync, readFileSync, truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import * as v from 'valibot'
import { Journal, type Judgement } from '../ranker/journal.ts'

const Line = v.strictObject({ family: v.string(), setting: v.record(v.string(), v.number()), quality: v.number() })

/** A journal whose judgements are lines of JSON in a file: appended as they are made, there again when it is next opened. */
export function openJournal(file: string): Journal {
  const judged = readLines(file)
  return new Journal(judged, (judgement) => {
    mkdirSync(dirname(file), { recursive: true })
    appendFileSync(file, `${JSON.stringify(judgement)}\n`)
  })
}

/** Cuts off what a process that was killed while it wrote left behind: the next line would be glued to it. */
function readLines(file: string): Judgement[] {
  const text = readIfThere(file)
  const judged: Judgement[] = []
  let whole = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', whole)) {
    const judgement = judgementOf(text.slice(whole, end))
    if (judgement === undefined) break
    judged.push(judgement)
    whole = end + 1
  }
  if (whole < text.length) truncateSync(file, Buffer.byteLength(text.slice(0, whole)))
  return judged
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function judgementOf(line: string): Judgement | undefined {
  try {
    return v.parse(Line, JSON.parse(line))
  } catch {
    return undefined
  }
}
