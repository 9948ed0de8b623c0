import { roundProbability } from '../../shared/ranking/calibration.ts'
import type { Dataset, Impressions } from '../dataset.ts'

/** What was shown where, and whether it was clicked. */
export type Shown = Pick<Impressions, 'count' | 'item' | 'position' | 'clickedAt'>

/** What impressions say about where visitors look; part of a release's evidence. */
export type PositionBias = {
  impressions: number
  clicks: number
  /** By place from 1 on: how likely it is looked at, relative to the place looked at most. */
  propensities: number[]
}

/** Places from this one on count as one: further down there is too little to tell them apart. */
const PLACES = 20
/** With fewer clicks a propensity is mostly chance. */
const FEWEST_CLICKS = 200
/** A click from a place hardly looked at would otherwise outweigh everything (clipping, Joachims et al. 2017). */
const MOST_WEIGHT = 4
const ROUNDS = 500
const ENOUGH = 1e-7

const placeOf = (position: number): number => Math.min(PLACES, position) - 1

/** @returns undefined where there are too few clicks to tell */
export function positionBias(shown: Shown): PositionBias | undefined {
  let clicks = 0
  for (let k = 0; k < shown.count; k++) if (shown.clickedAt[k] > 0) clicks++
  if (clicks < FEWEST_CLICKS) return undefined
  return { impressions: shown.count, clicks, propensities: propensitiesByEm(shown).map(roundProbability) }
}

/** For every deed where the recommendation stood that it was a click on, from 1 on; 0 where it was none. */
export function clickedPositions({ deeds, impressions }: Dataset): Uint8Array {
  const positions = new Uint8Array(deeds.count)
  if (impressions.count === 0) return positions
  const clicked = new Map<string, number>()
  for (let k = 0; k < impressions.count; k++) {
    if (impressions.clickedAt[k] === 0) continue
    clicked.set(`${impressions.visitor[k]} ${impressions.item[k]} ${impressions.clickedAt[k]}`, impressions.position[k])
  }
  return positions.map((_, k) => clicked.get(`${deeds.visitor[k]} ${deeds.item[k]} ${deeds.at[k]}`) ?? 0)
}

/** By how much a click at this place (from 1 on; 0 = on no recommendation) counts: one over how likely the place is looked at. */
export function clickWeight(bias: PositionBias | undefined, position: number): number {
  if (bias === undefined || position === 0) return 1
  return Math.min(MOST_WEIGHT, 1 / (bias.propensities[placeOf(position)] ?? 1))
}

/**
 * Where chance alone decided which item stood where: the click rate of every place relative to the best one's (Joachims,
 * Swaminathan & Schnabel 2017, "Unbiased Learning-to-Rank with Biased Feedback", 5.2).
 */
export function propensitiesByRate({ count, position, clickedAt }: Shown): number[] {
  const seen: number[] = []
  const taken: number[] = []
  for (let k = 0; k < count; k++) {
    const place = placeOf(position[k])
    seen[place] = (seen[place] ?? 0) + 1
    if (clickedAt[k] > 0) taken[place] = (taken[place] ?? 0) + 1
  }
  return relative(Array.from(seen, (views = 0, place) => (views > 0 ? (taken[place] ?? 0) / views : 0)))
}

/** An item at a place: how often it was clicked there and how often not. */
type Cell = { item: number; place: number; clicks: number; others: number }

/**
 * The position-based model P(click) = propensity(place) × attraction(item) by expectation and maximisation, as in Wang et
 * al. 2018, "Position Bias Estimation for Unbiased Learning to Rank in Personal Search", with the item in place of their
 * features. It needs no random order, but items that stood at several places. What one visitor likes more than another is not in the
 * model: it makes upper places look better than they are, which is one reason why weights are clipped.
 * @returns by place from 1 on, relative to the largest
 */
export function propensitiesByEm(shown: Shown): number[] {
  const cells = cellsOf(shown)
  const places = cells.reduce((most, { place }) => Math.max(most, place + 1), 0)
  const items = cells.reduce((most, { item }) => Math.max(most, item + 1), 0)
  let propensity = Float64Array.from({ length: places }, () => 0.5)
  let attraction = new Float64Array(items).fill(0.5)
  for (let round = 0; round < ROUNDS; round++) {
    const looked = new Float64Array(places)
    const ofPlace = new Float64Array(places)
    const liked = new Float64Array(items)
    const ofItem = new Float64Array(items)
    for (const { item, place, clicks, others } of cells) {
      const [look, like] = [propensity[place], attraction[item]]
      // Without a click: not looked at, or looked at and not liked.
      const neither = Math.max(1 - look * like, 1e-12)
      looked[place] += clicks + (others * look * (1 - like)) / neither
      liked[item] += clicks + (others * like * (1 - look)) / neither
      ofPlace[place] += clicks + others
      ofItem[item] += clicks + others
    }
    const next = looked.map((sum, place) => (ofPlace[place] > 0 ? sum / ofPlace[place] : 0))
    attraction = liked.map((sum, item) => (ofItem[item] > 0 ? sum / ofItem[item] : 0))
    const moved = next.reduce((most, value, place) => Math.max(most, Math.abs(value - propensity[place])), 0)
    propensity = next
    if (moved < ENOUGH) break
  }
  return relative(Array.from(propensity))
}

function cellsOf({ count, item, position, clickedAt }: Shown): Cell[] {
  const cells = new Map<number, Cell>()
  for (let k = 0; k < count; k++) {
    const place = placeOf(position[k])
    const key = item[k] * PLACES + place
    let cell = cells.get(key)
    if (cell === undefined) {
      cell = { item: item[k], place, clicks: 0, others: 0 }
      cells.set(key, cell)
    }
    if (clickedAt[k] > 0) cell.clicks++
    else cell.others++
  }
  return [...cells.values()].sort((a, b) => a.item - b.item || a.place - b.place)
}

function relative(values: readonly number[]): number[] {
  const most = values.reduce((top, value) => Math.max(top, value), 0)
  return values.map((value) => (most > 0 ? value / most : 0))
}
