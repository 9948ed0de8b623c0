import { CHANNEL_KEY } from '../../../shared/release/keys.ts'
import type { KvFault } from '../control.ts'
import type { EdgeFault, Scene } from '../fault.ts'
import { channelOf, packsInPlace } from '../world.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Under load on isolates that keep starting: first some reads of packs fail, then some of all, then all. */
async function failing(scene: Scene, how: KvFault, instead: Record<string, string> = {}): Promise<void> {
  for (const [keys, share] of [
    ['^pack/', 0.4],
    ['^pack/', 1],
    ['', 0.4],
    ['', 1],
  ] as const)
    await scene.under({ kv: { how, share, keys }, instead }, { coldEvery: 15 })
  await recovered(scene)
}

async function recovered(scene: Scene): Promise<void> {
  await scene.mend()
  scene.check(await scene.stage.serves(await scene.stage.theatre.edition(1)), 'did not recover')
}

export const kvFaults: readonly EdgeFault[] = [
  { name: 'kv-missing', protections: [['the bundled list']], strike: (scene) => failing(scene, 'missing') },
  { name: 'kv-throwing', protections: [['the rungs below a failed one']], strike: (scene) => failing(scene, 'throwing') },
  { name: 'kv-truncated', protections: [['the rungs below a failed one']], strike: (scene) => failing(scene, 'truncated') },
  { name: 'kv-flipped', protections: [['hash of packs']], strike: (scene) => failing(scene, 'flipped') },
  {
    name: 'kv-foreign',
    protections: [['hash of packs']],
    async strike(scene) {
      const { theatre } = scene.stage
      await failing(scene, 'foreign', packsInPlace(await theatre.edition(1), await theatre.edition(2)))
    },
  },
  {
    name: 'kv-stale',
    protections: [['rows of one release']],
    async strike(scene) {
      const { theatre } = scene.stage
      const before = channelOf(await theatre.edition(0), null)
      const instead = { [CHANNEL_KEY]: base64(JSON.stringify(before)) }
      await scene.under({ kv: { how: 'stale', share: 0.5, keys: `^${CHANNEL_KEY}$` }, instead, speed: 60 }, { requests: 360 })
      await recovered(scene)
    },
  },
  {
    name: 'kv-slow',
    protections: [['an end to waiting for KV']],
    async strike(scene) {
      for (const keys of ['^pack/', ''])
        await scene.under({ kv: { how: 'slow', share: 1, keys } }, { coldEvery: 60, requests: 120, connections: 20 })
      await recovered(scene)
    },
  },
]
