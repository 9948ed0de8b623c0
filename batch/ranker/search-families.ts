import { historyWeights } from '../../shared/ranking/history-weights.ts'
import { topItems } from '../../shared/ranking/top.ts'
import type { Settings, Tried } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import { type FamilyWeights, families } from '../learn/families.ts'
import type { Window } from '../learn/interactions.ts'
import { largest, type Sparse, SparseBuilder } from '../learn/sparse.ts'
import { attemptsOf, settingsOf } from './attempts.ts'
import { balanced, rounded } from './choose.ts'
import type { Decision } from './decisions.ts'
import type { Journal } from './journal.ts'
import { popularityQuality } from './popularity-fading.ts'
import { USUAL_RECALL } from './usual-recall.ts'

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
const SLATE = 20
const DAY = 86_400

/**
 * Tries settings of every model family on the window, at most `config.trials` a family, one setting after the other from
 * the start, and keeps what ranks the decisions' next items best; then how much of each family a row should hold,
 * and how fast popularity fades. A family is judged by itself, by its rows cut to the length they are stored at.
 */
export async function searchFamilies(
  window: Window,
  decisions: readonly Decision[],
  configured: Config,
  { start, journal }: Search,
  advance: (done: number, total: number) => Promise<void>,
): Promise<Searched> {
  const tried: Tried[] = []
  const judge = judgeOf(window, decisions, configured)
  const total = families.length * configured.trials
  const from = { start, day: Math.floor(window.dataset.to / DAY) }
  let config: Config = { ...configured, ...start }
  let done = 0
  const best: Partial<FamilyWeights> = {}
  for (const family of families) {
    const attempt = async (setting: Settings): Promise<Attempt> => {
      const attempted = { ...config, ...setting }
      let weights: Sparse | undefined
      const quality = await journal.once(family.name, settingsOf(family, attempted), async () => {
        weights = await family.weights(window, attempted)
        return judge(weights)
      })
      tried.push({ family: family.name, setting, quality: rounded(quality) })
      await advance(++done, total)
      return { weights, quality }
    }
    let kept = await attempt(settingsOf(family, config))
    for (const setting of attemptsOf(family, configured, from, configured.trials - 1)) {
      const other = await attempt(setting)
      if (other.quality <= kept.quality) continue
      kept = other
      config = { ...config, ...setting }
    }
    best[family.name] = kept.weights ?? (await family.weights(window, config))
  }
  const weights = best as FamilyWeights
  const bestOf = async (family: Tried['family'], settings: Settings[], quality: (setting: Settings) => number) => {
    const own: Tried[] = []
    for (const setting of settings)
      own.push({ family, setting, quality: rounded(await journal.once(family, setting, () => quality(setting))) })
    tried.push(...own)
    return own.reduce((best, other) => (other.quality > best.quality ? other : best)).setting
  }
  const mixes = MIXES.map((mix) => ({ mix }))
  const halfLives = HALF_LIVES.map((halfLifeDays) => ({ halfLifeDays }))
  const mix = await bestOf('mix', mixes, ({ mix }) => judge(mixed(weights, mix, 2 * configured.neighboursPerItem)))
  const lists = await bestOf('lists', halfLives, ({ halfLifeDays }) => popularityQuality(window, halfLifeDays))
  config = { ...config, ...mix, ...lists }
  const settings: Settings = { ...mix, ...lists }
  for (const family of families) Object.assign(settings, settingsOf(family, config))
  return { config, settings, weights, tried }
}

/** Without weights where the journal knew the quality. */
type Attempt = { weights: Sparse | undefined; quality: number }

/** Ranks by the summed weights of the history's rows, the history itself and what is barred left out. */
function judgeOf({ dataset }: Window, decisions: readonly Decision[], config: Config): (weights: Sparse) => number {
  const items = dataset.items.length
  const asked = decisions.filter(({ history }) => history.length > 0)
  return (weights) => {
    const cut = Array.from({ length: items }, (_, row) => largest(weights, row, config.neighboursPerItem))
    const score = new Float32Array(items)
    const slates = asked.map(({ history, barred }) => {
      const touched = new Set<number>()
      historyWeights(history, { ...USUAL_RECALL, historyItems: history.length }).forEach((weight, position) => {
        for (const k of cut[history[position].item]) {
          touched.add(weights.index[k])
          score[weights.index[k]] += weight * weights.value[k]
        }
      })
      const past = new Set(history.map(({ item }) => item))
      const open = Uint32Array.from(touched).filter((item) => !past.has(item) && !barred.has(item))
      const slate = Array.from(topItems(open, open.length, score, SLATE))
      for (const item of touched) score[item] = 0
      return slate
    })
    return balanced(asked, slates)
  }
}

/** Both families' rows in the proportion that a release would hold them. */
function mixed({ similar, together }: FamilyWeights, mix: number, width: number): Sparse {
  const builder = new SparseBuilder(similar.columns)
  const value = new Map<number, number>()
  for (let row = 0; row < similar.rows; row++) {
    value.clear()
    for (const k of largest(similar, row, width)) value.set(similar.index[k], (1 - mix) * similar.value[k])
    for (const k of largest(together, row, width))
      value.set(together.index[k], (value.get(together.index[k]) ?? 0) + mix * together.value[k])
    for (const [item, weight] of [...value].sort(([a], [b]) => a - b)) builder.push(item, weight)
    builder.endRow()
  }
  return builder.build()
}
