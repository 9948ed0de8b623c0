import { expect, it } from 'vitest'
import { askApart } from '../../batch/onnx/apart.ts'

const once = new URL('support/ends-once.ts', import.meta.url)
const always = new URL('support/ends-always.ts', import.meta.url)
const bytes = Uint8Array.of(1, 2, 39)

it('asks a second time where a signal ends the process', async () => {
  expect(await askApart(once, { signal: null, bytes })).toEqual({ second: false, sum: 42 })
  expect(await askApart(once, { signal: 'SIGTRAP', bytes })).toEqual({ second: true, sum: 42 })
})

it('says how it ended where no attempt answers', async () => {
  await expect(askApart(always, { how: 'signal' })).rejects.toThrow('SIGTRAP')
  await expect(askApart(always, { how: 'code' })).rejects.toThrow('exit code 3')
})
