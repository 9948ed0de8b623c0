import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { takeLock } from '../../batch/night/lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'nightjar-lock-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('is had by one, told to the next, and free again', () => {
  const file = join(folder, 'one.lock')
  const unlock = takeLock(file)
  expect(() => takeLock(file)).toThrow(`another night (process ${process.pid}) is running`)
  unlock()
  takeLock(file)()
})

it('of a process that was killed is free at once, and then had by one of many', async () => {
  const file = join(folder, 'killed.lock')
  const hold = `import { takeLock } from ${JSON.stringify(join(import.meta.dirname, '../../batch/night/lock.ts'))}
    try { takeLock(${JSON.stringify(file)}); console.log('has it') } catch { console.log('has it not') }
    setInterval(() => undefined, 1000)`
  const script = join(folder, 'hold.ts')
  writeFileSync(script, hold)
  const start = (): { says: Promise<string>; kill: () => Promise<unknown> } => {
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    return {
      says: new Promise((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()))),
      kill: () => {
        child.kill('SIGKILL')
        return ended
      },
    }
  }
  const first = start()
  expect(await first.says).toBe('has it')
  await first.kill()
  const next = Array.from({ length: 4 }, start)
  try {
    expect((await Promise.all(next.map(({ says }) => says))).filter((said) => said === 'has it')).toHaveLength(1)
  } finally {
    await Promise.all(next.map(({ kill }) => kill()))
  }
})
