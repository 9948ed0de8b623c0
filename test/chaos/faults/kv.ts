import { packsOf } from '../../../batch/release/release-store.ts'
import { CHANNEL_KEY, packKey } from '../../../shared/release/keys.ts'
import type { Channel } from '../../../shared/release/manifest.ts'
import { type KvFault, UNHURRIED_MS } from '../control.ts'
import type { EdgeFault, Scene } from '../fault.ts'
import { channelOf, packsInPlace } from '../world.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Under load on isolates that keep starting: first some reads of packs fail, then all of them, then some of any, then all. */
async function failing(scene: Scene, how: KvFault, instead: Record<string, string> = {}): Promise<void> {
  for (const [keys, share] of [
    ['^pack/', 0.4],
    ['^pack/', 1],
    ['', 0.4],
    ['', 1],
  ] as const)
    await scene.under({ kv: { how, share, keys }, instead, answerWithin: UNHURRIED_MS }, { every: 15, deed: { cold: true } })
  await scene.recover()
}

/** The pointer as it must never be. */
async function pointers(scene: Scene): Promise<string[]> {
  const [before, live, other, nowhere] = await Promise.all([0, 1, 2, 9].map(scene.edition))
  scene.stage.judge.knows(nowhere)
  const channels: Channel[] = [
    channelOf(nowhere, before),
    channelOf(nowhere, null),
    // Of one release the id, of another the manifest.
    channelOf({ ...live, manifest: other.manifest }, before),
    channelOf({ ...live, manifest: other.manifest }, null),
  ]
  return [...channels.map((channel) => JSON.stringify(channel)), '{"v":1,"stable"', '{}', 'null', '']
}

export const kvFaults: readonly EdgeFault[] = [
  { name: 'kv-missing', protections: [['the bundled list']], strike: (scene) => failing(scene, 'missing') },
  { name: 'kv-throwing', protections: [['the rungs below a failed one']], strike: (scene) => failing(scene, 'throwing') },
  { name: 'kv-truncated', slow: true, protections: [['the rungs below a failed one']], strike: (scene) => failing(scene, 'truncated') },
  { name: 'kv-flipped', protections: [['packs are what their name says']], strike: (scene) => failing(scene, 'flipped') },
  {
    name: 'kv-foreign',
    protections: [['packs are what their name says']],
    strike: async (scene) => failing(scene, 'foreign', packsInPlace(await scene.edition(1), await scene.edition(2))),
  },
  {
    name: 'kv-stale',
    protections: [['rows belong to one release']],
    async strike(scene) {
      const instead = { [CHANNEL_KEY]: base64(JSON.stringify(channelOf(await scene.edition(0), null))) }
      await scene.under({ kv: { how: 'stale', share: 0.5, keys: `^${CHANNEL_KEY}$` }, instead, speed: 60 }, { requests: 360 })
      await scene.recover()
    },
  },
  {
    name: 'kv-slow',
    slow: true,
    protections: [['an end to waiting']],
    async strike(scene) {
      for (const keys of ['^pack/', ''])
        await scene.under({ kv: { how: 'slow', share: 1, keys } }, { every: 60, deed: { cold: true }, connections: 20 })
      await scene.recover()
    },
  },
  {
    name: 'kv-remembers-a-miss',
    protections: [['a miss is soon forgotten']],
    async strike(scene) {
      // The pointer comes here before what it points to.
      const [live, late] = await Promise.all([1, 3].map(scene.edition))
      scene.stage.judge.knows(late)
      const { kv } = scene.stage.edge().stores
      await kv.put([{ key: CHANNEL_KEY, value: JSON.stringify(channelOf(late, live)) }])
      const remembering = { kv: { how: 'remembers' as const, share: 1, keys: '' } }
      await scene.under(remembering, { every: 10, deed: { cold: true, later: 35_000 } })
      await scene.publish(3)
      await scene.under({}, { every: 10, deed: { later: 35_000 } })
      scene.check(await scene.stage.serves(late), 'the release that came late was not served in the end')
      await scene.publish(1)
      await scene.recover()
    },
  },
  {
    name: 'channel-to-nowhere',
    protections: [['the bundled list'], ['a manifest is what its id says']],
    async strike(scene) {
      // The other one's packs are there: nothing but the manifest's hash tells the two apart.
      for (const n of [2, 1]) await scene.publish(n)
      for (const text of await pointers(scene)) {
        const instead = { [CHANNEL_KEY]: base64(text) }
        await scene.under(
          { kv: { how: 'stale', share: 1, keys: `^${CHANNEL_KEY}$` }, instead },
          { requests: 40, every: 20, deed: { cold: true } },
        )
      }
      await scene.recover()
    },
  },
  {
    name: 'idle-isolate',
    protections: [['the rungs below a failed one']],
    async strike(scene) {
      // It wakes with a pointer of yesterday to packs that are gone.
      await scene.under({}, { requests: 20 })
      const before = await scene.edition(1)
      await scene.publish(2)
      const kept = new Set(packsOf((await scene.edition(2)).manifest))
      await scene.stage.edge().stores.kv.delete(
        packsOf(before.manifest)
          .filter((hash) => !kept.has(hash))
          .map(packKey),
      )
      const unreachable = { kv: { how: 'throwing' as const, share: 1, keys: `^${CHANNEL_KEY}$` }, answerWithin: UNHURRIED_MS }
      await scene.under(unreachable, { requests: 60, every: 20, deed: { idle: 24 * 3_600_000 } })
      await scene.under({ kv: null }, { requests: 60, every: 20, deed: { idle: 24 * 3_600_000 } })
      await scene.recover(2)
      await scene.publish(1)
      await scene.recover()
    },
  },
]
