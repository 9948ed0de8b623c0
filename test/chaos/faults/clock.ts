import type { EdgeFault } from '../fault.ts'
import { writeOut } from '../stage.ts'

const DAY_MS = 86_400_000

export const clockFaults: readonly EdgeFault[] = [
  {
    name: 'clock-back-a-day',
    protections: [['what a clock noted that was set back is old']],
    async strike(scene) {
      await scene.under({}, { requests: 30 })
      await scene.stage.edge().breakAs({ later: -DAY_MS })
      await scene.under({}, { flushes: true })
      await scene.publish(2)
      await scene.recover(2)
      await scene.publish(1)
      await scene.recover()
    },
  },
  {
    name: 'clock-frozen',
    protections: [['files are named by what is in them']],
    async strike(scene) {
      for (let flush = 0; flush < 3; flush++) {
        await scene.under({ clockStill: true }, { requests: 80 })
        await writeOut(scene.stage)
      }
      await scene.publish(2)
      await scene.recover(2)
      await scene.publish(1)
      await scene.recover()
    },
  },
]
