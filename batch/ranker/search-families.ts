import type { Settings, Tried } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import { contentRows } from '../learn/content-rows.ts'
import { everTouched, type Family, type FamilyWeights, families, forgetFamilies } from '../learn/families.ts'
import type { Window } from '../learn/interactions.ts'
import { largest, type Sparse, SparseBuilder } from '../learn/sparse.ts'
import { itemVectors, vectorFamily } from '../learn/vectors.ts'
import { attemptsOf, settingsOf } from './attempts.ts'
import { rounded } from './choose.ts'
import type { Decision } from './decisions.ts'
import { historyQuality } from './history-quality.ts'
import type { Journal } from './journal.ts'
import { popularityQuality } from './popularity-fading.ts'
import { vectorQuality } from './vector-quality.ts'

export type Searched = {
  /** The given configuration with the best settings found. */
  config: Config
  /** Those settings alone. */
  settings: Settings
  weights: FamilyWeights
  tried: Tried[]
}

export type Search = {
  /** The settings to begin with; null = the configuration's. */
  start: Settings | null
  /** What it knows is not judged again. It must be of the same window, decisions, configuration and start. */
  journal: Journal
}

/** What "together" may count in a row beside "similar". */
const MIXES = [0, 0.1, 0.3, 0.5, 0.7, 0.9]
const HALF_LIVES = [1.5, 3, 7, 14, 30, 90]
const DAY = 86_400

/**
 * Tries settings of every model family on the window, at most `config.trials` a family, one setting after the other from
 * the start, and keeps what ranks the decisions' next items best; then how to make item vectors, judged likewise, how
 * much of each family a row should hold, and how fast popularity fades. A family is judged by itself, by its rows cut to
 * the length they are stored at.
 */
export async function searchFamilies(
  window: Window,
  decisions: readonly Decision[],
  configured: Config,
  { start, journal }: Search,
  advance: (done: number, total: number) => Promise<void>,
): Promise<Searched> {
  const tried: Tried[] = []
  const from = { start, day: Math.floor(window.dataset.to / DAY) }
  let config: Config = { ...configured, ...start }
  const searched = [...families, vectorFamily]
  const attemptsAt = (family: Pick<Family, 'tried'>): Settings[] => attemptsOf(family, configured, from, configured.trials - 1)
  const total = searched.reduce((sum, family) => sum + 1 + attemptsAt(family).length, 0)

  /** Leaves the best setting in `config`. @returns what was learned with it, unless the journal knew what it is worth */
  const choose = async <T>(
    family: Pick<Family, 'tried'> & { name: Tried['family'] },
    learned: (config: Config) => Promise<T>,
    quality: (learned: T) => Promise<number>,
  ): Promise<T | undefined> => {
    const attempt = async (setting: Settings): Promise<Attempt<T>> => {
      const attempted = { ...config, ...setting }
      const own: Attempt<T> = { quality: 0 }
      own.quality = await journal.once(family.name, settingsOf(family, attempted), async () => {
        own.learned = await learned(attempted)
        return quality(own.learned)
      })
      tried.push({ family: family.name, setting, quality: rounded(own.quality) })
      await advance(tried.length, total)
      return own
    }
    let kept = await attempt(settingsOf(family, config))
    for (const setting of attemptsAt(family)) {
      const other = await attempt(setting)
      if (other.quality <= kept.quality) continue
      kept = other
      config = { ...config, ...setting }
    }
    return kept.learned
  }

  const judge = judgeOf(window, decisions, configured)
  const best: Partial<FamilyWeights> = {}
  for (const family of families) {
    const weights = await choose(family, (attempted) => family.weights(window, attempted), judge)
    best[family.name] = weights ?? (await family.weights(window, config))
  }
  const weights = best as FamilyWeights
  const touched = everTouched(window)
  forgetFamilies(window)
  const described = contentRows(window.dataset)
  await choose(
    vectorFamily,
    (attempted) => itemVectors(described, touched, (item) => touched.itemVisitors[item] >= attempted.minVisitors, attempted),
    (vectors) => vectorQuality(window.dataset.items.length, decisions, vectors, config.dimensions),
  )
  const bestOf = async (family: Tried['family'], settings: Settings[], quality: (setting: Settings) => number | Promise<number>) => {
    const own: Tried[] = []
    for (const setting of settings)
      own.push({ family, setting, quality: rounded(await journal.once(family, setting, () => quality(setting))) })
    tried.push(...own)
    return own.reduce((best, other) => (other.quality > best.quality ? other : best)).setting
  }
  const asked = new Set(decisions.flatMap(({ history }) => history.map(({ item }) => item)))
  const mixes = MIXES.map((mix) => ({ mix }))
  const halfLives = HALF_LIVES.map((halfLifeDays) => ({ halfLifeDays }))
  const mix = await bestOf('mix', mixes, ({ mix }) => judge(mixed(weights, mix, 2 * configured.neighboursPerItem, asked)))
  const lists = await bestOf('lists', halfLives, ({ halfLifeDays }) => popularityQuality(window, halfLifeDays))
  config = { ...config, ...mix, ...lists }
  const settings: Settings = { ...mix, ...lists }
  for (const family of searched) Object.assign(settings, settingsOf(family, config))
  return { config, settings, weights, tried }
}

/** Nothing is learned where the journal knew the quality. */
type Attempt<T> = { learned?: T; quality: number }

/** How well the summed weights of the history's rows rank. Only rows that a history asks for are looked at. */
const judgeOf =
  ({ dataset }: Window, decisions: readonly Decision[], { neighboursPerItem }: Config) =>
  (weights: Sparse): Promise<number> => {
    const cut = new Map<number, Uint32Array>()
    const rowOf = (item: number): Uint32Array => {
      const row = cut.get(item) ?? largest(weights, item, neighboursPerItem)
      cut.set(item, row)
      return row
    }
    return historyQuality(dataset.items.length, decisions, (score, history) => {
      const touched = new Set<number>()
      for (const { item, weight } of history) {
        for (const k of rowOf(item)) {
          touched.add(weights.index[k])
          score[weights.index[k]] += weight * weights.value[k]
        }
      }
      return Uint32Array.from(touched)
    })
  }

/** Both families' rows of some items, in the proportion that a release would hold them; the other rows are empty. */
function mixed({ similar, together }: FamilyWeights, mix: number, width: number, wanted: ReadonlySet<number>): Sparse {
  const builder = new SparseBuilder(similar.columns)
  const value = new Map<number, number>()
  for (let row = 0; row < similar.rows; row++) {
    if (wanted.has(row)) {
      value.clear()
      for (const k of largest(similar, row, width)) value.set(similar.index[k], (1 - mix) * similar.value[k])
      for (const k of largest(together, row, width))
        value.set(together.index[k], (value.get(together.index[k]) ?? 0) + mix * together.value[k])
      for (const [item, weight] of [...value].sort(([a], [b]) => a - b)) builder.push(item, weight)
    }
    builder.endRow()
  }
  return builder.build()
}
