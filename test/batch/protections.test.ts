import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { protections, weakenedSource } from '../chaos/protections.ts'

const ROOT = join(import.meta.dirname, '../..')

it.each(protections)('"$name" is still there to be switched off in a counter-test', (protection) => {
  const source = readFileSync(join(ROOT, protection.file), 'utf8')
  expect(weakenedSource(protection.file, source, [protection])).not.toBe(source)
})
