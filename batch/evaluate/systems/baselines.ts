import type { Config } from '../../config.ts'
import type { Progress } from '../../night/stages.ts'
import type { Omitted, System } from '../trial.ts'
import type { OpenTrial } from '../trials/trials.ts'

export type Baseline = { system: System | Omitted; seconds: number }

/** What others would do with the same training part, tuned on the same validation. */
export async function baselines(
  trial: OpenTrial,
  _config: Config,
  wanted: (name: string) => boolean,
  progress: Progress,
): Promise<Baseline[]> {
  const makers: [string, () => Promise<System | Omitted> | System | Omitted][] = [['popularity', () => popularity(trial)]]
  const made: Baseline[] = []
  for (const [name, make] of makers) {
    if (!wanted(name)) continue
    progress.begin(name)
    const start = performance.now()
    const system = await make()
    const seconds = (performance.now() - start) / 1000
    progress.end({ name, seconds, rows: 0, peakMb: 0 })
    made.push({ system, seconds })
  }
  return made
}

function popularity({ train }: OpenTrial): System {
  const count = new Float64Array(train.items.length)
  for (let k = 0; k < train.deeds.count; k++) count[train.deeds.item[k]]++
  const order = Array.from(count.keys()).sort((a, b) => count[b] - count[a] || a - b)
  return { name: 'popularity', rank: (_, k) => order.slice(0, k) }
}
