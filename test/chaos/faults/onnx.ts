import { UNHURRIED_MS } from '../control.ts'
import type { EdgeFault, Scene } from '../fault.ts'
import { WITHOUT_NUMBERS } from '../stage.ts'

/** The runtime fails again and again; a minute after each time it is started anew. */
async function failing(scene: Scene, how: 'trap' | 'no-memory'): Promise<void> {
  // On a busy machine its start might else come after the last of few requests.
  scene.check(await scene.stage.ranksByOnnx(), 'ONNX did not rank before it was broken')
  await scene.under(
    { onnx: { how, share: 0.3 }, answerWithin: UNHURRIED_MS },
    { requests: 300, only: 'reads', meant: true, every: 20, deed: { later: 61_000 } },
  )
  const { onnxFailures } = (await (await fetch(`${scene.stage.edge().url}/readyz`)).json()) as { onnxFailures: number }
  scene.check(onnxFailures > 0, 'ONNX did not fail once')
  await scene.recover()
}

export const onnxFaults: readonly EdgeFault[] = [
  { name: 'onnx-traps', protections: [['a session that failed is dropped']], strike: (scene) => failing(scene, 'trap') },
  {
    name: 'onnx-out-of-memory',
    slow: true,
    protections: [['a session that failed is dropped']],
    strike: (scene) => failing(scene, 'no-memory'),
  },
  {
    name: 'model-of-nan',
    protections: [['weights are numbers']],
    async strike(scene) {
      await scene.publish(WITHOUT_NUMBERS)
      await scene.under({}, { requests: 200, only: 'reads', every: 50, deed: { cold: true } })
      await scene.publish(1)
      await scene.recover()
    },
  },
]
