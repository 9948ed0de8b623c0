import { FEATURE_COUNT, FEATURE_SET } from '../../shared/ranking/features.ts'
import { GRAPH_HASH } from '../../shared/ranking/graph-hash.ts'
import { EVERYWHERE } from '../../shared/ranking/regions.ts'
import { AVAILABLE, type Core, encodeCore, NEW } from '../../shared/release/core-pack.ts'
import { encodeDisplay } from '../../shared/release/display-pack.ts'
import { itemHash } from '../../shared/release/hash.ts'
import { encodeLists } from '../../shared/release/list-pack.ts'
import type { Manifest } from '../../shared/release/manifest.ts'
import { encodeModel } from '../../shared/release/model-pack.ts'
import { encodeNeighbours } from '../../shared/release/neighbour-pack.ts'

const ITEMS = 48
const DIMENSIONS = 8
const HIDDEN = 32
export const idOf = (item: number): string => `item ${item}`

const [core, model, neighbours, display, lists] = Array.from('01234', (digit) => digit.repeat(32))
const NAMES = { core, model, neighbours, display, lists }
const named = (name: keyof typeof NAMES) => ({ hash: NAMES[name], bytes: 0 })

/** A release of a few items in one region, each kind of pack a single one: what is in it does not matter, only that it is whole. */
export function tinyRelease(): Record<keyof typeof NAMES, ArrayBuffer> & { manifest: Manifest } {
  const items = Array.from({ length: ITEMS }, (_, item) => item)
  const others = (item: number): number[] => items.filter((other) => other !== item).slice(0, 12)
  const rows = items.map((item) => ({ items: others(item), similar: others(item), together: others(item), next: others(item) }))
  const listed = items.slice(ITEMS / 2)
  const cells = [-1, 0, 1].map((cohort) => ({ region: EVERYWHERE, cohort, items: listed, scores: listed.map((item) => ITEMS - item) }))
  const numbers = (length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, (_, i) => Math.sin(i))
  const weights = {
    features: FEATURE_COUNT,
    hidden: HIDDEN,
    w0: numbers(FEATURE_COUNT * HIDDEN),
    b0: numbers(HIDDEN),
    w1: numbers(HIDDEN),
    b1: numbers(1),
    skip: numbers(FEATURE_COUNT),
  }
  const recall = {
    historyItems: 10,
    historyDecay: 3,
    pastDecay: 3,
    pastWeight: 1,
    selfWeight: 1,
    pastSelfWeight: 1,
    togetherWeight: 0.5,
    pastTogetherWeight: 0.5,
    listWeight: 0.1,
    candidates: ITEMS,
  }
  return {
    manifest: {
      format: 1,
      items: ITEMS,
      idSalt: 0,
      featureSet: FEATURE_SET,
      graph: GRAPH_HASH,
      ranker: 'mlp',
      calibration: { slope: 1, intercept: 0 },
      recall,
      tried: [],
      core: named('core'),
      model: named('model'),
      neighbours: [{ ...named('neighbours'), first: 0 }],
      display: [{ ...named('display'), first: 0 }],
      lists: [{ ...named('lists'), regions: [EVERYWHERE] }],
      members: [],
      now: 0,
      metrics: {},
      lineage: { source: '', data: '', from: 0, to: 0, events: 0, visitors: 0, config: '', code: '', seed: 0, parent: null },
    },
    core: encodeCore(coreOf(items)).buffer,
    model: encodeModel(weights).buffer,
    neighbours: encodeNeighbours(0, rows, ITEMS).buffer,
    lists: encodeLists(cells, ITEMS).buffer,
    display: encodeDisplay(
      0,
      items.map((item) => ({ id: idOf(item), values: { title: idOf(item), category: 'a', price: item } })),
    ).buffer,
  }
}

function coreOf(items: readonly number[]): Core {
  const hashes = items.map((item) => ({ hash: itemHash(idOf(item), 0), item })).sort((a, b) => a.hash - b.hash)
  return {
    items: ITEMS,
    dimensions: DIMENSIONS,
    cohorts: 2,
    hashHigh: Uint16Array.from(hashes, ({ hash }) => Math.floor(hash / 0x1_0000_0000)),
    hashLow: Uint32Array.from(hashes, ({ hash }) => hash >>> 0),
    hashItem: Uint32Array.from(hashes, ({ item }) => item),
    slot: Uint32Array.from(items),
    price: Float32Array.from(items),
    category: Uint16Array.from(items, (item) => item % 3),
    popularity: Uint8Array.from(items),
    trend: Uint8Array.from(items),
    age: Uint16Array.from(items),
    repeat: Uint8Array.from(items),
    flags: Uint8Array.from(items, (item) => AVAILABLE | (item % 8 === 7 ? NEW : 0)),
    vectors: Int8Array.from({ length: ITEMS * DIMENSIONS }, (_, i) => 1 + (i % 97)),
    centroids: Float32Array.from({ length: 2 * DIMENSIONS }, (_, i) => 1 / (1 + i)),
    categories: ['', 'a', 'b'],
  }
}
