import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type * as sdk from '../../workers/site/sdk/nightjar.ts'
import { startPerturbingProxy } from '../batch/support/perturbing-proxy.ts'
import { launchBrowser, newVisit, posted, type Visit } from './browser.ts'
import { startPublished, type TestEdge } from './server.ts'

const ENTRY = join(import.meta.dirname, '../../workers/site/sdk/nightjar.ts')

let edge: TestEdge
let browser: Browser
let visit: Visit
beforeAll(async () => {
  edge = await startPublished()
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  await edge?.stop()
})
afterEach(() => visit?.context.close())

/** A page of this origin that does nothing by itself, with a client of the deployed SDK as `nj`. */
async function blankPage(options: Partial<sdk.Options> = {}): Promise<Page> {
  visit = await newVisit(browser)
  await visit.page.goto(`${edge.url}/mark.svg`)
  await startClient(visit.page, options)
  return visit.page
}

// As text: the test runner rewrites an import() that it sees.
const startClient = (page: Page, options: Partial<sdk.Options>): Promise<unknown> =>
  page.evaluate(
    `import('/nightjar.js').then(({ nightjar }) => { window.nj = nightjar(${JSON.stringify({ writeKey: 'pk_demo', ...options })}) })`,
  )

declare const nj: ReturnType<typeof sdk.nightjar>
const kept = (page: Page): Promise<(string | null)[]> =>
  page.evaluate(() => [localStorage.getItem('nightjar'), sessionStorage.getItem('nightjar')])
const click = { type: 'click', item: 'nj-0001' }

describe('the SDK', () => {
  it('is at most 1 KB gzip as it is served', async () => {
    const result = await build({
      entryPoints: [ENTRY],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      write: false,
      external: ['./later.js'],
    })
    const size = gzipSync(result.outputFiles[0]?.contents ?? '', { level: 9 }).length
    expect(size).toBeGreaterThan(300)
    expect(size).toBeLessThanOrEqual(1024)
  })

  it('posts text/plain, which needs no preflight, and puts neither id nor token in an address', async () => {
    const page = await blankPage({ consent: 'granted' })
    await page.evaluate((event) => nj.send(event), click)
    const slate = await page.evaluate(() => nj.recommend({ scenario: 'home', limit: 3 }))
    expect(slate.items).toHaveLength(3)
    const calls = visit.requests.filter((request) => request.url().includes('/v1/'))
    expect(calls.map((request) => [request.method(), new URL(request.url()).pathname])).toEqual([
      ['POST', '/v1/visitors'],
      ['POST', '/v1/events'],
      ['POST', '/v1/recommendations'],
    ])
    for (const request of calls) {
      expect(request.headers()['content-type']).toMatch(/^text\/plain/)
      expect(new URL(request.url()).search).toBe('')
    }
    const [visitor, token] = await kept(page)
    expect(posted(visit.requests, '/v1/recommendations')[0]).toMatchObject({ visitor, token, consent: 'granted' })
  })

  it('mints one id for events sent at the same time, and sends every event once', async () => {
    const page = await blankPage({ consent: 'granted' })
    await page.evaluate((event) => Promise.all([nj.send(event), nj.send([event, event]), nj.send(event)]), click)
    expect(posted(visit.requests, '/v1/visitors')).toHaveLength(1)
    const ids = posted(visit.requests, '/v1/events').flatMap(({ events }) => (events as { id: string }[]).map(({ id }) => id))
    expect(ids).toHaveLength(4)
    expect(new Set(ids).size).toBe(4)
  })

  it('measures the wait and tells it with the impression', async () => {
    const page = await blankPage()
    const { waited, recommId } = await page.evaluate(async () => {
      const slate = await nj.recommend({ scenario: 'popular', limit: 2 })
      nj.shown(slate)
      await nj.send([])
      return slate
    })
    const [event] = posted(visit.requests, '/v1/events').flatMap(({ events }) => events as object[])
    expect(waited).toBeGreaterThan(0)
    expect(event).toMatchObject({ type: 'impression', scenario: 'popular', waited, recommId })
  })

  it('posts once for two shelves that an old visitor sees and a click; what was only seen goes when the page does', async () => {
    const proxy = await startPerturbingProxy(edge.url)
    try {
      visit = await newVisit(browser)
      await visit.page.goto(`${proxy.url}/mark.svg`)
      await startClient(visit.page, { consent: 'granted' })
      await visit.page.evaluate(async (event) => {
        await nj.send(event)
        nj.shown(await nj.recommend({ scenario: 'popular', limit: 2 }))
        nj.shown(await nj.recommend({ scenario: 'trending', limit: 2 }))
        await nj.send(event)
        nj.shown(await nj.recommend({ scenario: 'home', limit: 2 }))
      }, click)
      await visit.page.goto('about:blank')
      const posts = (): string[][] =>
        proxy.seen
          .filter(({ path }) => path === '/v1/events')
          .map(({ body }) => (JSON.parse(String(body)) as { events: { type: string }[] }).events.map(({ type }) => type))
      await expect.poll(posts).toEqual([['click'], ['impression', 'impression', 'click'], ['impression']])
    } finally {
      await proxy.close()
    }
  })

  it('answers an empty slate when nothing answers, within its time limit, and never throws', async () => {
    const page = await blankPage({ consent: 'granted' })
    await page.route('**/v1/**', () => undefined)
    const hanging = await page.evaluate(() => nj.recommend())
    expect(hanging.items).toEqual([])
    expect(hanging.waited).toBeGreaterThan(1900)
    expect(hanging.waited).toBeLessThan(4000)
    for (const broken of [
      { status: 500, body: 'no' },
      { status: 200, body: '<html>' },
      { status: 403, body: '{}' },
    ]) {
      await page.unrouteAll()
      await page.route('**/v1/**', (route) => route.fulfill(broken))
      expect((await page.evaluate(() => nj.recommend())).items).toEqual([])
      await page.evaluate((event) => nj.send(event), click)
    }
    const circular = await page.evaluate(() => {
      const asked: Record<string, unknown> = {}
      asked.item = asked
      return nj.recommend(asked)
    })
    expect(circular.items).toEqual([])
    expect(visit.complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([])
  })

  it('sends again what did not arrive, under the same id', async () => {
    const page = await blankPage()
    await page.route('**/v1/events', (route) => route.abort())
    await page.evaluate((event) => nj.send(event), click)
    await page.unrouteAll()
    await page.evaluate((event) => nj.send(event), { ...click, item: 'nj-0002' })
    const [lost, second] = posted(visit.requests, '/v1/events').map(({ events }) => events as { id: string; item: string }[])
    expect(second?.map(({ item }) => item)).toEqual(['nj-0001', 'nj-0002'])
    expect(second?.[0]?.id).toBe(lost?.[0]?.id)
  })

  it('hands over what is still waiting when the page goes away', async () => {
    const proxy = await startPerturbingProxy(edge.url)
    try {
      // Nobody mints an id, so the event has to wait.
      proxy.perturb(({ path }) => path === '/v1/visitors')
      visit = await newVisit(browser)
      await visit.page.goto(`${proxy.url}/mark.svg`)
      await startClient(visit.page, { consent: 'granted' })
      await visit.page.evaluate((event) => void nj.send(event), click)
      await visit.page.goto('about:blank')
      const arrived = () => proxy.seen.filter(({ path }) => path === '/v1/events')
      await expect.poll(() => arrived().length).toBe(1)
      const [beacon] = arrived()
      expect(beacon?.headers['content-type']).toMatch(/^text\/plain/)
      expect(JSON.parse(String(beacon?.body))).toMatchObject({ events: [click] })
    } finally {
      await proxy.close()
    }
  })

  describe('told that it sends too fast', () => {
    const tooFast = async (page: Page, retryAfter: number): Promise<void> => {
      await page.route('**/v1/events', (route) =>
        route.fulfill({
          status: 429,
          headers: { 'retry-after': String(retryAfter), 'content-type': 'application/problem+json' },
          body: '{}',
        }),
      )
    }
    const sent = (): { id: string; item: string }[][] =>
      posted(visit.requests, '/v1/events').map(({ events }) => events as { id: string; item: string }[])
    /** Everything that the site's storage holds. */
    const storage = (page: Page): Promise<string> => page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))

    it('waits as long as it is told, and sends the same events again, each once', async () => {
      const page = await blankPage()
      await tooFast(page, 1)
      await page.evaluate((event) => nj.send(event), click)
      await page.unrouteAll()
      expect(sent()).toHaveLength(1)
      await expect.poll(sent, { timeout: 10_000 }).toHaveLength(2)
      expect(sent()[1]).toEqual(sent()[0])
      await page.evaluate((event) => nj.send(event), { ...click, item: 'nj-0002' })
      expect(sent()[2]?.map(({ item }) => item)).toEqual(['nj-0002'])
      expect(visit.complaints.filter((text) => !text.startsWith('Failed to load resource'))).toEqual([])
    })

    it('keeps them for the next page with consent, and a no empties that as well', async () => {
      const page = await blankPage({ consent: 'granted' })
      await page.evaluate((event) => nj.send(event), click)
      await tooFast(page, 600)
      await page.evaluate((event) => nj.send(event), { ...click, item: 'nj-0002' })
      const [, [kept] = []] = sent()
      // The page goes, and what it holds stays.
      await page.goto(`${edge.url}/mark.svg`)
      expect(await storage(page)).toContain(kept?.id)
      await page.unrouteAll()
      await startClient(page, { consent: 'granted' })
      await expect.poll(() => sent()[2]?.map(({ id }) => id), { timeout: 15_000 }).toEqual([kept?.id])
      await visit.quiet()
      expect(await storage(page)).not.toContain(kept?.id)

      await tooFast(page, 600)
      await page.evaluate((event) => nj.send(event), { ...click, item: 'nj-0003' })
      await page.goto(`${edge.url}/mark.svg`)
      expect(await storage(page)).toContain('nj-0003')
      await startClient(page, { consent: 'denied' })
      expect(await storage(page)).toBe('[{},{}]')
    })

    it('keeps no more than memory without consent, and no more than 300 of them', async () => {
      const page = await blankPage({ consent: 'denied' })
      await tooFast(page, 1)
      await page.evaluate(async () => {
        const events = Array.from({ length: 396 }, (_, i) => ({ type: 'click', item: `nj-${i}` }))
        for (let i = 0; i < events.length; i += 99) await nj.send(events.slice(i, i + 99))
      })
      expect(sent()).toHaveLength(4)
      await page.unrouteAll()
      await expect.poll(() => sent().slice(4).flat().length, { timeout: 10_000 }).toBe(300)
      expect(
        new Set(
          sent()
            .slice(4)
            .flat()
            .map(({ item }) => item),
        ),
      ).toEqual(new Set(Array.from({ length: 300 }, (_, i) => `nj-${i + 96}`)))
      await tooFast(page, 600)
      await page.evaluate((event) => nj.send(event), click)
      await page.goto(`${edge.url}/mark.svg`)
      expect(await storage(page)).toBe('[{},{}]')
    })
  })

  it('keeps nothing that arrives after consent was withdrawn', async () => {
    const page = await blankPage({ consent: 'granted' })
    let release: (() => void) | undefined
    const held = new Promise<void>((done) => {
      release = done
    })
    await page.route('**/v1/events', async (route) => {
      const response = await route.fetch()
      await held
      await route.fulfill({ response })
    })
    const asked = page.waitForRequest('**/v1/events')
    const sent = page.evaluate((event) => nj.send(event), click)
    await asked
    await page.evaluate(() => nj.consent('denied'))
    release?.()
    await sent
    expect(await kept(page)).toEqual([null, null])
    await page.evaluate(() => nj.recommend({ limit: 1 }))
    expect(posted(visit.requests, '/v1/recommendations').at(-1)).toEqual({ writeKey: 'pk_demo', consent: 'denied', limit: 1 })
  })

  it('lets a no reach the edge and the site’s other tabs at once, and a yes begin anew', async () => {
    const page = await blankPage({ consent: 'granted' })
    await page.evaluate((event) => nj.send(event), click)
    const [visitor] = await kept(page)
    const held = async (): Promise<{ items: object[]; consent: object }> =>
      (await fetch(`${edge.url}/v1/visitors/me`, { headers: { authorization: `Bearer ${visitor}` } })).json() as never
    expect((await held()).items).toHaveLength(1)
    const other = await visit.context.newPage()
    await other.goto(`${edge.url}/mark.svg`)
    await startClient(other, { consent: 'granted' })
    const late: Record<string, unknown>[] = []
    other.on('request', (request) => late.push({ path: new URL(request.url()).pathname, ...JSON.parse(request.postData() ?? '{}') }))

    await page.evaluate(() => nj.consent('denied'))
    await visit.quiet()
    expect(await held()).toMatchObject({ items: [], consent: { personalisation: 'denied', learning: 'denied' } })
    await other.evaluate((event) => nj.send(event), click)
    await other.evaluate(() => nj.recommend({ limit: 1 }))
    expect(late.map(({ path, consent, visitor: sent, token }) => [path, consent, sent, token])).toEqual([
      ['/v1/events', 'denied', undefined, undefined],
      ['/v1/recommendations', 'denied', undefined, undefined],
    ])

    await page.evaluate(() => nj.consent('granted'))
    await page.evaluate((event) => nj.send(event), click)
    const [again] = await kept(page)
    expect(again).toMatch(/^v1\./)
    expect(again).not.toBe(visitor)
  })

  it('sends an id for one purpose as for all, and says which', async () => {
    const page = await blankPage({ consent: { personalisation: 'denied', learning: 'granted' } })
    await page.evaluate((event) => nj.send(event), click)
    const [visitor, token] = await kept(page)
    expect([visitor?.slice(0, 3), token]).toEqual(['v1.', null])
    expect(posted(visit.requests, '/v1/events')[0]).toMatchObject({ visitor, consent: { personalisation: 'denied', learning: 'granted' } })
  })

  it('takes Global Privacy Control for a no, whatever the page says', async () => {
    visit = await newVisit(browser)
    await visit.context.addInitScript(() => {
      Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })
      localStorage.setItem('nightjar', 'v1.left-from-before')
    })
    const { page } = visit
    await page.goto(`${edge.url}/mark.svg`)
    await startClient(page, { consent: 'granted' })
    await page.evaluate((event) => nj.send(event), click)
    await page.evaluate(() => nj.consent('granted'))
    await page.evaluate((event) => nj.send(event), click)
    expect(posted(visit.requests, '/v1/visitors')).toEqual([])
    expect(posted(visit.requests, '/v1/events').map(({ consent, visitor }) => [consent, visitor])).toEqual([
      ['denied', undefined],
      ['denied', undefined],
    ])
    expect(await kept(page)).toEqual([null, null])
  })

  it('works where storage is blocked', async () => {
    visit = await newVisit(browser)
    await visit.context.addInitScript(() => {
      for (const area of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, area, {
          get: () => {
            throw new DOMException('blocked', 'SecurityError')
          },
        })
    })
    const { page } = visit
    await page.goto(`${edge.url}/mark.svg`)
    await startClient(page, { consent: 'granted' })
    await page.evaluate((event) => nj.send(event), click)
    await page.evaluate(() => nj.recommend({ scenario: 'recently-viewed' }))
    expect(posted(visit.requests, '/v1/recommendations')[0]).toMatchObject({
      visitor: expect.stringMatching(/^v1\./),
      token: expect.any(String),
    })
  })

  it('runs as the fifteen lines that its page shows', async () => {
    visit = await newVisit(browser)
    const { page } = visit
    await page.goto(`${edge.url}/snippet.html`)
    await page.waitForSelector('#recommended a')
    await page.getByText('import { nightjar }').waitFor()
    expect(await page.locator('#recommended a').count()).toBe(5)
    const source = (await page.textContent('#source')) ?? ''
    expect(source.trim().split('\n').length).toBeLessThanOrEqual(15)
    expect(source).toBe(await (await page.request.get(`${edge.url}/snippet.js`)).text())
    expect(visit.complaints).toEqual([])
  })
})
