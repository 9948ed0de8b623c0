import type { Manifest } from '../../shared/release/manifest.ts'
import type { Config } from '../config.ts'
import type { Learned } from '../learn/learn.ts'

/** One thing a release must satisfy before it may be published. */
export type Gate = { name: string; passed: boolean; detail: string }

/** Packs have a fixed cost that a small catalogue cannot spread. */
const SMALL_RELEASE = 512 * 1024

/** An export that was cut short has less than this share of what the last one had. */
const MIN_INPUT_SHARE = 0.5

const inputShare = (manifest: Manifest, earlier: Manifest): number =>
  Math.min(manifest.items / Math.max(1, earlier.items), manifest.lineage.events / Math.max(1, earlier.lineage.events))

/** The first of the joined sources: whose catalogue it is. */
const mainSource = ({ lineage }: Manifest): string => lineage.source.split('+')[0]

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

export function judge(manifest: Manifest, learned: Learned, config: Config, stable: Manifest | null): Gate[] {
  const { metrics } = manifest
  const covered = learned.neighbours.filter((row) => row.items.length > 0).length / Math.max(1, manifest.items)
  const bytes = releaseBytes(manifest)
  const own = metrics['served.ndcg@20']
  // Too few decisions to ask leave no figures at all.
  const measured = own !== undefined
  const popularity = metrics['popularity.ndcg@20']
  // A release of another source is no measure: the demo shop's says nothing about the first night on one's own data.
  const earlier = stable !== null && mainSource(stable) === mainSource(manifest) ? stable : null
  const before = earlier?.metrics['served.ndcg@20']
  return [
    { name: 'items', passed: manifest.items > 0, detail: `${manifest.items} items` },
    {
      name: 'lists',
      passed: manifest.lists.some((pack) => pack.regions.includes('*')),
      detail: `${learned.lists.length} lists in ${learned.regions.length} regions`,
    },
    {
      name: 'coverage',
      passed: !measured || covered >= config.minCoverage,
      detail: `${percent(covered)} of items have neighbours, ${percent(config.minCoverage)} needed`,
    },
    {
      name: 'beats-popularity',
      passed: !measured || own >= popularity,
      detail: measured ? `NDCG@20 ${own.toFixed(4)} against ${popularity.toFixed(4)}` : 'too little history to measure',
    },
    {
      name: 'holds-quality',
      passed: !measured || before === undefined || own >= config.minQualityShare * before,
      detail:
        before === undefined
          ? 'no earlier release of this source'
          : `${measured ? `NDCG@20 ${own.toFixed(4)}` : 'too little history to measure'} against ${before.toFixed(4)} of the stable release`,
    },
    {
      name: 'holds-input',
      passed: earlier === null || inputShare(manifest, earlier) >= MIN_INPUT_SHARE,
      detail:
        earlier === null
          ? 'no earlier release of this source'
          : `${manifest.items} items and ${manifest.lineage.events} deeds against ${earlier.items} and ${earlier.lineage.events} of the stable release`,
    },
    {
      name: 'size',
      passed: bytes <= Math.max(SMALL_RELEASE, config.maxBytesPerItem * manifest.items),
      detail: `${Math.round(bytes / Math.max(1, manifest.items))} bytes an item, ${config.maxBytesPerItem} allowed`,
    },
  ]
}

export function releaseBytes(manifest: Manifest): number {
  const { core, model, neighbours, display, lists, members } = manifest
  return [core, model, ...neighbours, ...display, ...lists, ...members].reduce((sum, pack) => sum + pack.bytes, 0)
}
