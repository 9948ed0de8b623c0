import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core'

const CANDIDATES = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
]

/** The machine's own Chromium; set CHROMIUM to its path where it is somewhere else. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = CANDIDATES.find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined) throw new Error('no Chromium found: install it, or set CHROMIUM to its path')
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/**
 * A fresh visitor's browser, with a record of what went wrong in the page and what it asked for. `quiet` resolves when every
 * answer has come and no more is asked.
 */
export type Visit = { context: BrowserContext; page: Page; complaints: string[]; requests: Request[]; quiet(): Promise<void> }

export async function newVisit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  const requests: Request[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  const open = new Set<Request>()
  let changed = Date.now()
  const close = (request: Request): void => {
    open.delete(request)
    changed = Date.now()
  }
  page.on('request', (request) => {
    requests.push(request)
    open.add(request)
    changed = Date.now()
  })
  page.on('requestfinished', close)
  page.on('requestfailed', close)
  const quiet = async (): Promise<void> => {
    const deadline = Date.now() + 15_000
    while (open.size > 0 || Date.now() - changed < 200) {
      if (Date.now() > deadline) throw new Error(`still waiting for ${Array.from(open, (request) => request.url()).join(', ')}`)
      await setTimeout(50)
    }
  }
  return { context, page, complaints, requests, quiet }
}

/** The bodies posted to a path of the API, oldest first. */
export const posted = (requests: readonly Request[], path: string): Record<string, unknown>[] =>
  requests
    .filter((request) => new URL(request.url()).pathname === path && request.method() === 'POST')
    .map((request) => JSON.parse(request.postData() ?? '{}'))
