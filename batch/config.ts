import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { REMEMBERED_ITEMS } from '../shared/memory.ts'
import { firstIssue } from './first-issue.ts'
import { InputError } from './sources/source.ts'

const positive = v.pipe(v.number(), v.gtValue(0))
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const count = v.pipe(v.number(), v.integer(), v.minValue(1))

/** Everything about a night that is a choice; part of the release's lineage. A JSON file overrides any of it. */
export const ConfigSchema = v.strictObject({
  seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 1),
  /** After this many days a deed counts half. */
  halfLifeDays: v.optional(positive, 30),
  /** What goes together, and what comes next, changes more slowly than what is wanted. */
  togetherHalfLifeDays: v.optional(positive, 180),
  /** No list or edge rests on fewer distinct visitors. */
  minVisitors: v.optional(count, 3),
  /** No cohort, and no list of a cohort in a region, has fewer visitors. */
  minCohort: v.optional(count, 50),
  /** Upper bound; the number is visitors / 100 below it. */
  maxCohorts: v.optional(count, 48),
  dimensions: v.optional(v.pipe(count, v.maxValue(64)), 32),
  content: v.optional(v.pipe(v.number(), v.minValue(0)), 0.6),
  /** In item vectors, a visitor of n items and an item of n visitors weigh n^-vectorPower. */
  vectorPower: v.optional(share, 0.25),
  ridgeBase: v.optional(positive, 30),
  ridgeScale: v.optional(v.pipe(v.number(), v.minValue(0)), 1),
  support: v.optional(v.pipe(count, v.maxValue(400)), 150),
  /** A visitor of n items weighs n^-visitorPower in what is similar. */
  visitorPower: v.optional(share, 0.3),
  sessionReach: v.optional(v.pipe(count, v.maxValue(50)), 20),
  /** Two items d steps apart in a session count exp(-(d - 1) / stepDecay). */
  stepDecay: v.optional(positive, 2),
  /** And this much the other way round. */
  backward: v.optional(share, 0.5),
  /** How much neighbours of neighbours count. */
  hop: v.optional(v.pipe(v.number(), v.minValue(0)), 0.3),
  /** 0 … 1: how much "together" counts in an item's row, beside "similar". */
  mix: v.optional(share, 0.3),
  neighboursPerItem: v.optional(v.pipe(count, v.maxValue(200)), 80),
  /** How many settings of each model family are tried on validation each night. */
  trials: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 6),
  /** How many items of a visitor answers rest on. The edge remembers no more than the default; some protocols do. */
  remembered: v.optional(count, REMEMBERED_ITEMS),
  /** False where the events' times say nothing, not even an order: then what is asked is drawn at random from each visitor's items. */
  timed: v.optional(v.boolean(), true),
  listLength: v.optional(v.pipe(count, v.maxValue(400)), 100),
  candidates: v.optional(v.pipe(count, v.maxValue(400)), 150),
  newItemDays: v.optional(positive, 14),
  /** The ranker: how many decisions to learn from, and how often to go through them. 0 epochs = no ranker. */
  decisions: v.optional(count, 48000),
  epochs: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 5),
  /** Gates: the release is refused below these. */
  minCoverage: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0.2),
  /** Of the stable release's own quality on the same source. */
  minQualityShare: v.optional(v.pipe(v.number(), v.minValue(0)), 0.8),
  maxBytesPerItem: v.optional(count, 1200),
})
export type Config = v.InferOutput<typeof ConfigSchema>
/** What a search may try values of. */
export type NumericSetting = { [P in keyof Config]: Config[P] extends number ? P : never }[keyof Config]

/**
 * @param usual what holds where the file does not say otherwise, before the defaults
 * @throws InputError naming the field that does not fit
 */
export function readConfig(file: string | undefined, usual: Partial<Config> = {}): Config {
  const given = file === undefined ? {} : readJson(file)
  const parsed = v.safeParse(ConfigSchema, isRecord(given) ? { ...usual, ...given } : given)
  if (parsed.success) return parsed.output
  throw new InputError(`${file}: ${firstIssue(parsed.issues)}; docs/nightly.md lists the settings`)
}

const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value)

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new InputError(
      `${file}: ${error instanceof SyntaxError ? `not JSON (${error.message})` : 'cannot be read; give the path of a JSON file'}`,
    )
  }
}
