import { randomStream } from '../../../shared/random.ts'
import { buildTinyRelease } from '../../edge/fixtures/tiny-release.ts'
import type { CodecTally, Verdict } from '../codec-tally.ts'
import { type Codec, textOf } from './codec.ts'
import { codecs } from './codecs.ts'
import { mutate } from './mutate.ts'
import { uncheckedCore } from './pack-codecs.ts'

let all: Promise<Codec[]> | undefined
const known = (env: Env): Promise<Codec[]> => {
  all ??= Promise.all([codecs(env), brokenCodecs()]).then((lists) => lists.flat())
  return all
}

export const namesOf = async (env: Env): Promise<string[]> => (await known(env)).map(({ name }) => name)

/** Reads the mutations `from` up to `to` of one codec; each is drawn by the seed and its own number alone. */
export async function runCodec(env: Env, name: string, seed: number, from: number, to: number): Promise<CodecTally> {
  const codec = (await known(env)).find((one) => one.name === name)
  if (codec === undefined) throw new Error(`there is no codec ${name}`)
  const tally: CodecTally = { name, refused: 0, equal: 0, read: 0, wrong: 0, crashed: 0, worst: null }
  for (let at = from; at < to; at++) {
    const bytes = mutate(codec.original, randomStream(Math.imul(seed, 0x9e3779b1) + at))
    let verdict: Verdict | 'crashed'
    let said: string
    try {
      verdict = await codec.read(bytes.slice())
      said = verdict
    } catch (error) {
      verdict = 'crashed'
      said = `crashed: ${error instanceof Error ? error.stack : String(error)}`
    }
    tally[verdict]++
    if (verdict === 'wrong' || verdict === 'crashed') tally.worst ??= { at, verdict: said, bytes: bytes.toBase64() }
  }
  return tally
}

/** Readers with a fault that the run must find; their names say so. */
const brokenCodecs = async (): Promise<Codec[]> => [
  await uncheckedCore(await buildTinyRelease()),
  {
    name: 'counter-test: throws',
    original: new TextEncoder().encode('{"a":1}') as Uint8Array<ArrayBuffer>,
    read: (bytes) => (JSON.parse(textOf(bytes)) === null ? 'refused' : 'equal'),
  },
]
