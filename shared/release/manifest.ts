import * as v from 'valibot'
import { ListedItem } from '../schemas/listed-item.ts'
import { utf8 } from '../utf8.ts'
import { canonicalJson, contentHash } from './hash.ts'

const Hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))
const Count = v.pipe(v.number(), v.integer(), v.minValue(0))

/**
 * A pack of rows in *slot* order (items that are wanted together stand together): it holds slots `first` up to the next
 * pack's `first`.
 */
const SlotPack = v.strictObject({ hash: Hash, first: Count, bytes: Count })

/** How the edge turns a visitor's history and the lists into candidates; chosen on validation data each night. */
const Recall = v.strictObject({
  /** How many of the newest history items are asked for neighbours. */
  historyItems: Count,
  /** The weight of the i-th newest item of the session going on is exp(-i / historyDecay). */
  historyDecay: v.number(),
  /** The same for the items of earlier sessions, counted from the newest of them. */
  pastDecay: v.number(),
  /** While a session goes on, items of earlier ones count this much. */
  pastWeight: v.number(),
  /** How much an item of this session counts for itself, beside its neighbours. */
  selfWeight: v.number(),
  /** How much an item of an earlier session does, times how often it is taken again. */
  pastSelfWeight: v.number(),
  /** 0 … 1: "together" counts this much, "similar" the rest: beside this session's items, and beside earlier ones'. */
  togetherWeight: v.number(),
  pastTogetherWeight: v.number(),
  /** How much the cohort or region list counts beside the neighbours. */
  listWeight: v.number(),
  /** At most this many candidates are ranked. */
  candidates: Count,
})
/** Numbers of the night's configuration, by name. */
const SettingsSchema = v.record(v.string(), v.number())
export type Settings = v.InferOutput<typeof SettingsSchema>

const logs = v.array(v.pipe(v.number(), v.integer()))
const Logs = v.record(v.string(), logs)
/**
 * How likely a visitor without clicks belongs to each cohort, in hundredths of a natural logarithm: `prior` = P(cohort),
 * the rows by value P(value | cohort) / P(value). Values too rare to say anything have no row.
 */
const EntrySchema = v.pipe(
  v.strictObject({ prior: logs, region: Logs, referrer: Logs, device: Logs, hour: Logs }),
  v.check(
    ({ prior, ...features }) => Object.values(features).every((rows) => Object.values(rows).every((row) => row.length === prior.length)),
    'rows differ in length',
  ),
)
export type EntryTables = v.InferOutput<typeof EntrySchema>

/** One setting that was tried. */
export type Tried = Manifest['tried'][number]
export type RecallParameters = v.InferOutput<typeof Recall>

export const ManifestSchema = v.strictObject({
  format: v.literal(1),
  items: Count,
  /** Salt of `itemHash` under which no two ids of this catalogue collide. */
  idSalt: Count,
  featureSet: v.string(),
  /** SHA-256 prefix of the ONNX graph whose inputs the model pack's weights are. */
  graph: v.string(),
  /** Whether validation chose the ranker (`mlp`) or the merged score alone (`none`). */
  ranker: v.picklist(['mlp', 'none']),
  /** What turns the ranker's scores into probabilities (shared/ranking/calibration.ts); absent where it has none. */
  calibration: v.optional(v.strictObject({ slope: v.pipe(v.number(), v.gtValue(0)), intercept: v.number() })),
  recall: Recall,
  /** Absent where validation found the region's list no worse for visitors without clicks; they get that then. */
  entry: v.exactOptional(EntrySchema),
  /** The evidence for how this release was learned: every setting that was tried, and what validation said of it. */
  tried: v.array(
    v.strictObject({
      /** A family of models, item vectors, how much of each family a row holds (`mix`), or how fast popularity fades (`lists`). */
      family: v.picklist(['similar', 'together', 'vectors', 'mix', 'lists']),
      setting: SettingsSchema,
      /** Recall@20 + NDCG@20, every kind of decision counting alike; of `lists`, the same of all deeds that followed. */
      quality: v.number(),
    }),
  ),
  /** The best of those; absent where there was too little history to try any. */
  settings: v.optional(SettingsSchema),
  /** What impressions said about where visitors look: by place from 1 on, relative to the best; absent where they were too few. */
  positionBias: v.optional(v.strictObject({ impressions: Count, clicks: Count, propensities: v.array(v.number()) })),
  core: v.strictObject({ hash: Hash, bytes: Count }),
  model: v.strictObject({ hash: Hash, bytes: Count }),
  neighbours: v.array(SlotPack),
  display: v.array(SlotPack),
  /** Each lists pack holds every list of its regions; `*` is everywhere, `@EU` a continent. */
  lists: v.array(v.strictObject({ hash: Hash, bytes: Count, regions: v.array(v.string()) })),
  /** Members pack i holds the visitors whose hash's first byte is in [first_i, first_i+1). */
  members: v.array(SlotPack),
  /** Unix seconds: the end of the event window, which is this release's "now". */
  now: Count,
  /** The global list's beginning with what pages draw: answers where nothing but the channel came in time. Absent in older releases. */
  firstList: v.exactOptional(v.array(ListedItem)),
  metrics: v.record(v.string(), v.number()),
  lineage: v.strictObject({
    source: v.string(),
    /** Hash of the cleaned events and items, order and all. */
    data: v.string(),
    from: Count,
    to: Count,
    events: Count,
    visitors: Count,
    /** Unix milliseconds of the newest change of the catalogue that was taken in; absent where there was none. */
    catalogueAt: v.exactOptional(Count),
    config: v.string(),
    code: v.string(),
    seed: Count,
    /** The release that was stable when this one was built on other input; null for the first. */
    parent: v.nullable(v.string()),
    /** The settings that the search began with, found for that release; null where it began with the configuration's. */
    start: v.optional(v.nullable(SettingsSchema)),
  }),
})
/** Everything a release consists of. Its id is the hash of its canonical JSON, so that equal input gives an equal id. */
export type Manifest = v.InferOutput<typeof ManifestSchema>

/** A release's id: the first 16 hex digits of its manifest's hash. */
export const releaseId = async (manifest: Manifest): Promise<string> => (await contentHash(utf8(canonicalJson(manifest)))).slice(0, 16)

/** The manifest travels inside the channel, so that a cold isolate needs one round to know every pack's name. */
export type ChannelEntry = { release: string; manifest: Manifest }

/** The one mutable pointer. Moving it is what makes a release live, and moving it back is a roll-back. */
export type Channel = {
  v: 1
  stable: ChannelEntry
  /** The release tried on `percent` of visitors, or null. */
  canary: ChannelEntry | null
  percent: number
  guard: { metric: string; floor: number } | null
  /** What was stable before: the rung below when a pack of `stable` cannot be read. */
  previous: ChannelEntry | null
  /** Unix milliseconds at which the pointer moved. */
  movedAt: number
}

const Entry = v.strictObject({ release: v.string(), manifest: v.unknown() })
const ChannelSchema = v.strictObject({
  v: v.literal(1),
  stable: Entry,
  canary: v.nullable(Entry),
  percent: v.pipe(v.number(), v.minValue(0), v.maxValue(100)),
  guard: v.nullable(v.strictObject({ metric: v.string(), floor: v.number() })),
  previous: v.nullable(Entry),
  movedAt: v.number(),
})

/** A channel or a manifest that must not be trusted. */
export class ManifestError extends Error {
  override name = 'ManifestError'
}

/** @throws ManifestError unless the manifest is well-formed and is the one its id names. */
export async function checkEntry(entry: { release: string; manifest: unknown }): Promise<ChannelEntry> {
  const parsed = v.safeParse(ManifestSchema, entry.manifest)
  if (!parsed.success) {
    const issue = parsed.issues[0]
    throw new ManifestError(`release ${entry.release}: manifest.${v.getDotPath(issue) ?? ''} ${issue.message}`)
  }
  const id = await releaseId(parsed.output)
  if (id !== entry.release) throw new ManifestError(`manifest hashes to ${id}, not to ${entry.release}`)
  return { release: id, manifest: parsed.output }
}

export type UncheckedChannel = v.InferOutput<typeof ChannelSchema>

/** Parses the channel's JSON; its entries are still to be checked, one by one, so that a bad one costs only itself. @throws ManifestError */
export function parseChannel(text: string): UncheckedChannel {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new ManifestError('channel is not JSON')
  }
  const parsed = v.safeParse(ChannelSchema, json)
  if (!parsed.success) throw new ManifestError(`channel: ${v.getDotPath(parsed.issues[0]) ?? ''} ${parsed.issues[0].message}`)
  return parsed.output
}

/** Index of the pack that holds `slot`, by binary search over the packs' first slots. */
export function packOfSlot(packs: readonly { first: number }[], slot: number): number {
  let low = 0
  let high = packs.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if ((packs[middle] as { first: number }).first <= slot) low = middle
    else high = middle - 1
  }
  return low
}
