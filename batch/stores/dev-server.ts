import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A local edge that is up, as `npm start` and `npm run dev` record it. */
export type DevServer = { url: string; pid: number }

const fileIn = (directory: string): string => join(directory, 'dev.json')

/** The dev server that works on this directory's state; null when none does, or the one recorded is gone. */
export function readDevServer(directory: string): DevServer | null {
  try {
    const { url, pid }: Partial<DevServer> = JSON.parse(readFileSync(fileIn(directory), 'utf8'))
    if (typeof url !== 'string' || typeof pid !== 'number') return null
    process.kill(pid, 0)
    return { url, pid }
  } catch {
    return null
  }
}

export function recordDevServer(directory: string, server: DevServer): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(fileIn(directory), JSON.stringify(server))
}

export const forgetDevServer = (directory: string): void => rmSync(fileIn(directory), { force: true })
