#!/usr/bin/env node
// Runs on whatever Node the machine has; the command itself needs the one the project brings, which reads TypeScript.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'

const NEEDED = 24

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  await import('../cli/main.ts')
} else {
  const own = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node')
  const child = spawn(own, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`nightjar: cannot start the Node of this project (${error.message}); run "npm ci"\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
  })
}
