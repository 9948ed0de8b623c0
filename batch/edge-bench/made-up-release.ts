import { randomStream } from '../../shared/random.ts'
import { FEATURE_COUNT } from '../../shared/ranking/features.ts'
import type { Weights } from '../../shared/ranking/reference-scorer.ts'
import { EVERYWHERE } from '../../shared/ranking/regions.ts'
import { AVAILABLE, type Core, NEW } from '../../shared/release/core-pack.ts'
import { itemHash } from '../../shared/release/hash.ts'
import type { ListInput } from '../../shared/release/list-pack.ts'
import type { Manifest } from '../../shared/release/manifest.ts'
import type { NeighbourInput } from '../../shared/release/neighbour-pack.ts'
import type { CatalogueItem } from '../dataset.ts'
import { USUAL_RECALL } from '../ranker/usual-recall.ts'
import { manifestOf } from '../release/assemble.ts'
import { encodePacks, type Packs } from '../release/packs.ts'

const NEIGHBOURS = 40
const LISTED = 200
const DIMENSIONS = 32
const COHORTS = 16
const HIDDEN = 32
const REGIONS = [EVERYWHERE, '@EU', 'GB', 'FR']
const NOW = Date.UTC(2026, 0, 1) / 1000

/**
 * A release of any size in seconds, nothing of it learned: the shapes and sizes are those of a real one, the numbers are
 * drawn. So that an answer tells which release each of its parts comes from, every item's values carry `edition`, and whether
 * the edition's lists and neighbours may name the item: every second one, in an even edition others than in an odd one.
 */
export async function madeUpRelease(items: number, edition: number): Promise<{ manifest: Manifest; packs: Packs }> {
  const random = randomStream(edition)
  const catalogue = Array.from({ length: items }, (_, item) => catalogueItem(item, edition))
  const learned = {
    core: madeUpCore(catalogue, edition, random),
    neighbours: Array.from({ length: items }, (_, item) => neighboursOf(item, items, edition, random)),
    lists: REGIONS.flatMap((region) => Array.from({ length: COHORTS + 1 }, (_, i) => listOf(region, i - 1, items, edition, random))),
    regions: REGIONS,
  }
  const { packs, names } = await encodePacks(learned, catalogue, madeUpWeights(random), [])
  const recall = { ...USUAL_RECALL, candidates: LISTED }
  const manifest = manifestOf({ names, recall, items, idSalt: 0 })
  const calibration = { slope: 1, intercept: 0 }
  return { manifest: { ...manifest, ranker: 'mlp', calibration, now: NOW, lineage: { ...manifest.lineage, seed: edition } }, packs }
}

const category = (item: number): string => `Department ${1 + (item % 24)}`
const price = (item: number): number => 1 + (item % 97) / 2

const isListed = (item: number, edition: number): boolean => (item + edition) % 2 === 0

/** Ids of one width: their order by bytes is their index. */
function catalogueItem(item: number, edition: number): CatalogueItem {
  const id = `made-up-${String(item).padStart(7, '0')}`
  const title = `Made-up article no. ${item} in a usual size`
  const values = {
    title,
    category: category(item),
    price: price(item),
    image: `/art/${item % 500}.svg`,
    edition,
    listed: isListed(item, edition),
  }
  return { id, values, category: category(item), price: price(item), available: true, firstSeen: NOW }
}

function madeUpCore(catalogue: readonly CatalogueItem[], edition: number, random: () => number): Core {
  const items = catalogue.length
  const hashes = catalogue.map(({ id }, item) => ({ hash: itemHash(id, 0), item })).sort((a, b) => a.hash - b.hash)
  const categories = ['', ...new Set(catalogue.map((item) => item.category))]
  const level = (): number => Math.floor(256 * random())
  return {
    items,
    dimensions: DIMENSIONS,
    cohorts: COHORTS,
    hashHigh: Uint16Array.from(hashes, ({ hash }) => Math.floor(hash / 0x1_0000_0000)),
    hashLow: Uint32Array.from(hashes, ({ hash }) => hash >>> 0),
    hashItem: Uint32Array.from(hashes, ({ item }) => item),
    slot: Uint32Array.from({ length: items }, (_, item) => item),
    price: Float32Array.from(catalogue, (item) => item.price),
    category: Uint16Array.from(catalogue, (item) => categories.indexOf(item.category)),
    popularity: Uint8Array.from({ length: items }, level),
    trend: Uint8Array.from({ length: items }, level),
    age: Uint16Array.from({ length: items }, () => Math.floor(1000 * random())),
    repeat: Uint8Array.from({ length: items }, level),
    flags: Uint8Array.from({ length: items }, (_, item) => AVAILABLE | (item % 100 === 98 + (edition % 2) ? NEW : 0)),
    vectors: Int8Array.from({ length: items * DIMENSIONS }, () => Math.floor(45 * (random() - 0.5))),
    centroids: Float32Array.from({ length: COHORTS * DIMENSIONS }, () => (random() - 0.5) / 2),
    categories,
  }
}

/** Mostly what lies near in the catalogue, as items of one kind do in clustered order. */
function neighboursOf(item: number, items: number, edition: number, random: () => number): NeighbourInput {
  const near = new Set<number>()
  for (let draw = 0; near.size < NEIGHBOURS && draw < 8 * NEIGHBOURS; draw++) {
    const other = Math.floor(item + 400 * (random() - 0.5) + items) % items
    if (other !== item && isListed(other, edition)) near.add(other)
  }
  const weights = (share: number): number[] => Array.from(near, () => (random() < share ? random() : 0))
  return { items: [...near], similar: weights(1).sort((a, b) => b - a), together: weights(0.5), next: weights(0.3) }
}

function listOf(region: string, cohort: number, items: number, edition: number, random: () => number): ListInput {
  const listed = new Set<number>()
  for (let draw = 0; listed.size < Math.min(LISTED, items >> 2) && draw < 40 * LISTED; draw++) {
    const item = Math.floor(items * random() ** 2)
    if (isListed(item, edition)) listed.add(item)
  }
  return { region, cohort, items: [...listed], scores: Array.from(listed, (_, i) => 1 / (1 + i / 20)) }
}

function madeUpWeights(random: () => number): Weights {
  const drawn = (count: number, size: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length: count }, () => size * (random() - 0.5))
  return {
    features: FEATURE_COUNT,
    hidden: HIDDEN,
    w0: drawn(FEATURE_COUNT * HIDDEN, 0.2),
    b0: drawn(HIDDEN, 0.2),
    w1: drawn(HIDDEN, 0.2),
    b1: drawn(1, 0.2),
    skip: drawn(FEATURE_COUNT, 0.5),
  }
}
