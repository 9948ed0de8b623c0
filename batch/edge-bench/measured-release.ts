import { type Manifest, releaseId } from '../../shared/release/manifest.ts'
import { readChannel, writeChannel } from '../release/release-store.ts'
import type { KvSink } from '../stores/kv-sink.ts'

/** What a recommendation that is measured ranks: more than validation usually chooses. */
const CANDIDATES = 200

/** Makes the stable release rank CANDIDATES, under an id of its own. To be called before the Worker has read it. */
export async function rankMore(kv: KvSink, manifest: Manifest): Promise<Manifest> {
  const channel = await readChannel(kv)
  if (channel === null) throw new Error('there is no release to be measured')
  const more: Manifest = { ...manifest, recall: { ...manifest.recall, candidates: CANDIDATES } }
  await writeChannel(kv, { ...channel, stable: { release: await releaseId(more), manifest: more }, previous: null })
  return more
}
