import { itemByHash } from '../../shared/release/core-pack.ts'
import { itemHash } from '../../shared/release/hash.ts'
import type { LoadedRelease } from './loaded-release.ts'

/** The index of an item id in this release, or -1. */
export const indexOf = ({ core, manifest }: Pick<LoadedRelease, 'core' | 'manifest'>, id: string): number =>
  itemByHash(core, itemHash(id, manifest.idSalt))

export const indicesOf = (release: Pick<LoadedRelease, 'core' | 'manifest'>, ids: readonly string[]): number[] =>
  ids.map((id) => indexOf(release, id)).filter((item) => item >= 0)
