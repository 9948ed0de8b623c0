import { PackError } from '../../../shared/release/container.ts'
import { decodeCore, openCore } from '../../../shared/release/core-pack.ts'
import { openDisplay } from '../../../shared/release/display-pack.ts'
import { contentHash } from '../../../shared/release/hash.ts'
import { packKey } from '../../../shared/release/keys.ts'
import { openLists } from '../../../shared/release/list-pack.ts'
import { openMembers } from '../../../shared/release/member-pack.ts'
import { openModel } from '../../../shared/release/model-pack.ts'
import { openNeighbours } from '../../../shared/release/neighbour-pack.ts'
import type { TinyRelease } from '../../edge/fixtures/tiny-release.ts'
import { type Codec, orNull, vouched } from './codec.ts'

type Open<T> = (buffer: ArrayBuffer, hash: string) => Promise<T>

/** As many rows as a pack of the release has, at most. */
const ROWS = 100
const slots = (first: number, rows: number): number[] => Array.from({ length: Math.min(ROWS, rows) }, (_, i) => first + i)

/** Each kind of pack, as the edge opens it. */
export async function packCodecs(release: TinyRelease): Promise<Codec[]> {
  const { manifest } = release
  const [neighbours] = manifest.neighbours
  const [display] = manifest.display
  const [lists] = manifest.lists
  const [members] = manifest.members
  const both = <T>(name: string, hash: string, open: Open<T>, look: (pack: T) => unknown): Promise<Codec[]> =>
    Promise.all([named(name, bytesOf(release, hash), hash, open, look), renamed(name, bytesOf(release, hash), open, look)])
  const all = await Promise.all([
    both('core', manifest.core.hash, openCore, (core) => core),
    both('model', manifest.model.hash, openModel, (weights) => weights),
    both('neighbours', neighbours.hash, openNeighbours, ({ first, rows, row }) => slots(first, rows).map(row)),
    both('display', display.hash, openDisplay, ({ first, rows, id, json }) => slots(first, rows).map((slot) => [id(slot), json(slot)])),
    both('lists', lists.hash, openLists, ({ get }) => lists.regions.map((region) => [get(region, -1), get(region, 0)])),
    both('members', members.hash, openMembers, ({ get }) => get('00112233aabbccdd')),
  ])
  return all.flat()
}

/** Under the name that the manifest has for it: the bytes that were published, or none. */
const named = <T>(name: string, bytes: Uint8Array<ArrayBuffer>, hash: string, open: Open<T>, look: (pack: T) => unknown): Promise<Codec> =>
  vouched(`pack: ${name}`, bytes, (changed) => orNull(PackError, async () => look(await open(changed.buffer, hash))))

/** Under a name of its own, as a night with a fault might publish it: it may say what it likes, and is read to its end. */
function renamed<T>(name: string, original: Uint8Array<ArrayBuffer>, open: Open<T>, look: (pack: T) => unknown): Codec {
  return {
    name: `pack: ${name}, renamed`,
    original,
    async read(bytes) {
      const hash = await contentHash(bytes)
      const pack = await orNull(PackError, () => open(bytes.buffer, hash))
      if (pack === null) return 'refused'
      look(pack)
      return 'read'
    },
  }
}

/** The core without a look at its hash: what the hash stands against. */
export const uncheckedCore = (release: TinyRelease): Promise<Codec> =>
  vouched('pack: core without its hash', bytesOf(release, release.manifest.core.hash), (changed) =>
    orNull(PackError, () => decodeCore(changed.buffer)),
  )

function bytesOf({ entries }: TinyRelease, hash: string): Uint8Array<ArrayBuffer> {
  const bytes = entries.get(packKey(hash))
  if (!(bytes instanceof Uint8Array)) throw new Error(`the release has no pack ${hash}`)
  return bytes
}
