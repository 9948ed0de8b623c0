import { log, progress } from '@clack/prompts'
import type { Progress } from '../night/stages.ts'

const count = new Intl.NumberFormat('en')

const line = ({ name, rows, seconds, resumed }: Parameters<Progress['end']>[0]): string =>
  `${name.padEnd(8)} ${count.format(rows).padStart(9)} rows  ${seconds.toFixed(1).padStart(6)} s${resumed ? '  (resumed)' : ''}`

/** A bar for the stage that runs, a line for each that ended. */
export function terminalProgress(): Progress {
  const steps = 100
  let bar: ReturnType<typeof progress> | undefined
  let shown = 0
  return {
    begin(stage) {
      shown = 0
      bar = progress({ max: steps, size: 24, style: 'block' })
      bar.start(stage)
    },
    advance(done, total) {
      const next = total === undefined ? shown : Math.min(steps, Math.round((steps * done) / total))
      if (next > shown) bar?.advance(next - shown)
      shown = Math.max(shown, next)
    },
    end(result) {
      bar?.stop(line(result))
      bar = undefined
    },
    note: (text) => log.message(text),
  }
}

/** For logs and pipes: one line a stage. */
export const plainProgress = (write: (text: string) => void): Progress => ({
  begin: () => undefined,
  advance: () => undefined,
  end: (result) => write(`${line(result)}\n`),
  note: (text) => write(`${text}\n`),
})

export const silentProgress: Progress = { begin: () => undefined, advance: () => undefined, end: () => undefined, note: () => undefined }
