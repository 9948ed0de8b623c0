import { historyWeights } from '../../../shared/ranking/history-weights.ts'
import type { HistoryItem } from '../../../shared/ranking/release-view.ts'
import { topItems } from '../../../shared/ranking/top.ts'
import { coordinateSearch } from '../search.ts'
import type { System, Trial, Validation } from '../trial.ts'
import { type Ease, ease, gramOf } from './ease.ts'

/** A dense model of more items fits neither the memory nor the night of one machine. */
export const MOST_ITEMS = 12_000
/** λ is a matter of how often items are taken, not of how many there are: it is tuned on the items taken most. */
const TUNED_ITEMS = 4000

export type PerUserSetting = {
  /** The ridge. */
  lambda: number
  /** Within the session going on, and in what came before, an item counts exp(−steps back / decay). */
  decay: number
  pastDecay: number
  /** What came before counts so much beside a session going on. */
  pastWeight: number
  /** How much an item of this session, or of what came before, speaks for itself. */
  selfWeight: number
  pastSelfWeight: number
}

const START: PerUserSetting = { lambda: 100, decay: 5, pastDecay: 15, pastWeight: 0.3, selfWeight: 0.1, pastSelfWeight: 0.3 }

const GRID = {
  lambda: [30, 100, 300, 1000],
  decay: [1.5, 2.5, 5, 12],
  pastDecay: [5, 15, 40, 1e9],
  pastWeight: [0, 0.1, 0.3, 1],
  selfWeight: [0, 0.03, 0.1, 0.3, 1],
  pastSelfWeight: [0, 0.1, 0.3, 1, 3],
}

/** Finds the setting with as many trials as our own search has; every λ costs one inverse. */
export async function tunePerUser({ trial, quality }: Validation, trials: number): Promise<PerUserSetting> {
  const gram = gramOf(trial.train, TUNED_ITEMS)
  const models = new Map<number, Ease>()
  const modelOf = (lambda: number): Ease => {
    const model = models.get(lambda) ?? ease(gram, lambda)
    models.set(lambda, model)
    return model
  }
  return coordinateSearch(START, GRID, trials, (setting) => quality(perUser(modelOf(setting.lambda), setting)))
}

export const fitPerUser = ({ train }: Pick<Trial, 'train'>, setting: PerUserSetting): Ease =>
  ease(gramOf(train, MOST_ITEMS), setting.lambda)

/** Scores every modelled item for every query: what a server that holds the whole matrix could answer. */
export function perUser(model: Ease, setting: PerUserSetting): System {
  const scores = new PerUserScores(model, setting)
  return {
    name: 'per-user',
    setting,
    bytesPerItem: model.weight.byteLength / Math.max(1, model.place.length),
    rank({ history, inSession }, k) {
      if (history.length === 0) return []
      scores.fill(history, inSession)
      return scores.top(k)
    },
  }
}

/** One query's scores by place in the model, as three columns that the next query overwrites. */
export class PerUserScores {
  readonly total: Float32Array
  /** The part that earlier sessions contribute. */
  readonly past: Float32Array
  /** The part that the newest item contributes. */
  readonly newest: Float32Array
  private readonly places: Uint32Array
  private readonly model: Ease
  private readonly setting: PerUserSetting

  constructor(model: Ease, setting: PerUserSetting) {
    const n = model.items.length
    this.total = new Float32Array(n)
    this.past = new Float32Array(n)
    this.newest = new Float32Array(n)
    this.places = Uint32Array.from({ length: n }, (_, place) => place)
    this.model = model
    this.setting = setting
  }

  /** @param inSession how many of the newest items belong to the session going on */
  fill(history: readonly HistoryItem[], inSession: number): void {
    const { decay: historyDecay, pastDecay, pastWeight, selfWeight, pastSelfWeight } = this.setting
    const weights = historyWeights(history, { historyItems: history.length, historyDecay, pastDecay, pastWeight }, inSession)
    for (const column of [this.total, this.past, this.newest]) column.fill(0)
    // From the oldest on, so that what is left in `total` when the session begins is the past's part.
    for (let position = history.length - 1; position >= 0; position--) {
      if (position === inSession - 1) this.past.set(this.total)
      const earlier = position >= inSession
      const weight = weights[position]
      this.add(this.total, history[position].item, weight, earlier ? pastSelfWeight : selfWeight)
      if (position === 0) this.add(this.newest, history[0].item, weight, earlier ? pastSelfWeight : selfWeight)
    }
    if (inSession === 0) this.past.set(this.total)
  }

  /** The k best catalogue items among those that `allow` lets through. */
  top(k: number, allow?: (item: number) => boolean): number[] {
    const { items } = this.model
    const open = allow === undefined ? this.places : this.places.filter((place) => allow(items[place]))
    return Array.from(topItems(open, open.length, this.total, k), (place) => items[place])
  }

  private add(column: Float32Array, item: number, weight: number, self: number): void {
    const place = this.model.place[item]
    if (place < 0) return
    const n = column.length
    const row = this.model.weight.subarray(place * n, (place + 1) * n)
    for (let j = 0; j < n; j++) column[j] += weight * row[j]
    column[place] += weight * self
  }
}
