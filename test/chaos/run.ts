import { writeFileSync } from 'node:fs'
import { placeOnnx } from '../../batch/onnx/build.ts'
import { InputError } from '../../batch/sources/source.ts'
import { parseOptions } from '../../scripts/parse-options.ts'
import type { Row } from './fault.ts'
import { clockFaults } from './faults/clock.ts'
import { killFaults } from './faults/kills.ts'
import { kvFaults } from './faults/kv.ts'
import { nightFaults } from './faults/nights.ts'
import { objectFaults } from './faults/objects.ts'
import { onnxFaults } from './faults/onnx.ts'
import { playOnEdge } from './play.ts'
import { openTheatre } from './stage.ts'
import { HEAD, isRight, lineOf } from './table.ts'

const edgeFaults = [...kvFaults, ...objectFaults, ...onnxFaults, ...clockFaults]
const otherFaults = [...killFaults, ...nightFaults]
/** Of how many requests the quick part makes. */
const QUICK_SCALE = 0.25
const names = [...otherFaults, ...edgeFaults].map(({ name }) => name)

const HELP = `npm run test:chaos           break what Nightjar stands on; nothing may be lost, doubled, mixed or answered wrong
  -- --only <fault>,…        only these: ${names.join(', ')}
  -- --seed <n>              another course of things than that of seed 1
  -- --quick                 a small part of it, which npm test runs
  -- --json <file>           rows {fault, tried, survived, lost, doubled, errors}; those with "without" had a protection switched off
  -- --log <file>            what the runtimes print
Every fault comes a second time with the protection from it switched off, and must then do harm.
`

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`${error instanceof InputError ? error.message : error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = error instanceof InputError ? 2 : 1
}

async function main(): Promise<number> {
  const { values } = parseOptions({
    options: {
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      log: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const seed = Number(values.seed)
  if (!Number.isInteger(seed) || seed < 0) throw new InputError(`--seed must be a whole number, not "${values.seed}"`)
  const only = values.only?.split(',') ?? names
  const isChosen = ({ name, slow }: { name: string; slow?: true }): boolean => only.includes(name) && !(values.quick && slow)
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new InputError(`there is no fault "${unknown}"; --help names them`)

  await placeOnnx()
  process.stdout.write(HEAD)
  const rows: Row[] = []
  const told = (row: Row): void => {
    rows.push(row)
    process.stdout.write(lineOf(row))
  }
  const theatre = await openTheatre(values.log)
  try {
    for (const fault of otherFaults) if (isChosen(fault)) await fault.play(theatre, { seed, quick: values.quick, told })
    await playOnEdge(theatre, edgeFaults.filter(isChosen), { seed, scale: values.quick ? QUICK_SCALE : 1, told })
  } finally {
    theatre.close()
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`)
  const wrong = rows.filter((row) => !isRight(row)).length
  process.stdout.write(`${rows.length - wrong} passed, ${wrong} failed\n`)
  return wrong === 0 ? 0 : 1
}
