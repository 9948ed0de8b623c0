import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { InputError } from './sources/source.ts'

const positive = v.pipe(v.number(), v.gtValue(0))
const count = v.pipe(v.number(), v.integer(), v.minValue(1))

/** Everything about a night that is a choice; part of the release's lineage. A JSON file overrides any of it. */
export const ConfigSchema = v.strictObject({
  seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 1),
  /** After this many days a deed counts half. */
  halfLifeDays: v.optional(positive, 30),
  /** The neighbours' own, longer memory: what goes together changes more slowly than what is wanted. */
  neighbourHalfLifeDays: v.optional(positive, 180),
  /** No list or edge rests on fewer distinct visitors. */
  minVisitors: v.optional(count, 3),
  /** No cohort, and no list of a cohort in a region, has fewer visitors. */
  minCohort: v.optional(count, 50),
  /** Upper bound; the number is visitors / 100 below it. */
  maxCohorts: v.optional(count, 48),
  dimensions: v.optional(v.pipe(count, v.maxValue(64)), 32),
  content: v.optional(v.pipe(v.number(), v.minValue(0)), 0.6),
  ridgeBase: v.optional(positive, 3),
  ridgeScale: v.optional(v.pipe(v.number(), v.minValue(0)), 1),
  support: v.optional(v.pipe(count, v.maxValue(400)), 120),
  sessionReach: v.optional(v.pipe(count, v.maxValue(50)), 10),
  neighboursPerItem: v.optional(v.pipe(count, v.maxValue(200)), 60),
  listLength: v.optional(v.pipe(count, v.maxValue(400)), 100),
  candidates: v.optional(v.pipe(count, v.maxValue(400)), 150),
  newItemDays: v.optional(positive, 14),
  /** The ranker: how many decisions to learn from, and how often to go through them. 0 epochs = no ranker. */
  decisions: v.optional(count, 8000),
  epochs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 3),
  /** Gates: the release is refused below these. */
  minCoverage: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0.2),
  /** Of the stable release's own quality on the same source. */
  minQualityShare: v.optional(v.pipe(v.number(), v.minValue(0)), 0.8),
  maxBytesPerItem: v.optional(count, 1200),
})
export type Config = v.InferOutput<typeof ConfigSchema>

/** @throws InputError naming the field that does not fit */
export function readConfig(file: string | undefined): Config {
  const parsed = v.safeParse(ConfigSchema, file === undefined ? {} : readJson(file))
  if (parsed.success) return parsed.output
  const issue = parsed.issues[0]
  throw new InputError(`${file}: ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`)
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new InputError(
      `${file}: ${error instanceof SyntaxError ? `not JSON (${error.message})` : 'cannot be read; give the path of a JSON file'}`,
    )
  }
}
