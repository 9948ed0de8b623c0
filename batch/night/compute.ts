import type { Settings } from '../../shared/release/manifest.ts'
import type { MemberInput } from '../../shared/release/member-pack.ts'
import type { Config } from '../config.ts'
import type { Dataset } from '../dataset.ts'
import { type Learned, learn } from '../learn/learn.ts'
import { type Choice, chooseRanker } from '../ranker/choice.ts'
import { encodePacks, type PackNames, type Packs } from '../release/packs.ts'
import { memberHistories } from './members.ts'
import type { Stages } from './stages.ts'

export type Computed = { choice: Choice; learned: Learned; packs: Packs; names: PackNames }

export type ComputeOptions = {
  stages: Stages
  /** Names everything the result depends on; checkpoints of the long stages are kept under it. */
  key: string
  /** The settings that the search begins with; null = the configuration's. */
  start: Settings | null
  /** Pseudonymises imported visitors for the member packs; null leaves them out. */
  idKey: string | null
}

/** Everything of a release that is computed from its dataset; what judges a release offline judges this. */
export async function compute(dataset: Dataset, config: Config, { stages, key, start, idKey }: ComputeOptions): Promise<Computed> {
  const choice = await stages.resumable<Choice>(
    'ranker',
    key,
    (chosen) => chosen.decisions,
    (advance, journal) => chooseRanker(dataset, config, { start, journal }, advance),
  )
  const learned = await stages.resumable<Learned>(
    'learn',
    key,
    (result) => result.neighbours.length,
    (advance) => learn({ dataset, until: dataset.to + 1 }, choice.config, choice.recall, advance),
  )
  const members: MemberInput[] =
    idKey === null
      ? []
      : await stages.run(
          'members',
          (list) => list.length,
          () => memberHistories(dataset, idKey),
        )
  const { packs, names } = await stages.run(
    'packs',
    (encoded) => encoded.packs.size,
    () => encodePacks(learned, dataset.items, choice.weights, members),
  )
  return { choice, learned, packs, names }
}
