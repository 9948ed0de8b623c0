import { setTimeout } from 'node:timers/promises'
import type { EdgeFault, Scene } from '../fault.ts'

const HOUR_MS = 3_600_000
/** An hour in fifteen seconds. */
const SPEED = 240

/** All that is archived, as text. */
async function archived(scene: Scene): Promise<string> {
  const { blobs } = scene.stage.edge().stores
  const files = await Promise.all((await blobs.list('events/')).map((key) => blobs.get(key)))
  return files.map((bytes) => new TextDecoder().decode(bytes)).join('')
}

export const objectFaults: readonly EdgeFault[] = [
  {
    name: 'objects-throwing',
    protections: [['another shard takes a post'], ['a visitor whose object fails is a stranger']],
    async strike(scene) {
      await scene.under({ objects: { how: 'throwing', share: 0.75 } }, { requests: 240 })
      await scene.recover()
    },
  },
  {
    name: 'objects-slow',
    slow: true,
    protections: [['an end to waiting']],
    async strike(scene) {
      await scene.under({ objects: { how: 'slow', share: 0.25 } }, { connections: 20, requests: 160 })
      await scene.recover()
    },
  },
  {
    name: 'objects-overloaded',
    slow: true,
    protections: [['another shard takes a post']],
    async strike(scene) {
      await scene.under({ objects: { how: 'overloaded', share: 0.75 } }, { requests: 240 })
      await scene.recover()
    },
  },
  {
    name: 'objects-evicted',
    protections: [['events are kept before they are acknowledged']],
    async strike(scene) {
      await scene.under({ objects: { how: 'evicted', share: 0.4 } }, { requests: 240 })
      await scene.recover()
    },
  },
  {
    name: 'r2-down-for-an-hour',
    slow: true,
    protections: [['a failed flush is tried again']],
    async strike(scene) {
      const hour = HOUR_MS / SPEED
      for (let part = 0; part < 3; part++) {
        await scene.under({ r2: true, speed: SPEED }, { requests: 40 })
        await setTimeout(hour / 3)
      }
      await scene.stage.edge().breakAs({ r2: false })
      // The last retry of the hour has set the next one, a quarter of an hour later at most.
      const waiting = async (): Promise<number> => scene.stage.ledger.missing(scene.tag, await archived(scene))
      for (let polls = 0; polls < 100 && (await waiting()) > 0; polls++) await setTimeout(hour / 100)
      const left = await waiting()
      scene.check(left === 0, `${left} events still wait an hour later`)
      await scene.recover()
    },
  },
]
