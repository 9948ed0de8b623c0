import { gzipSync } from 'node:zlib'
import type { Browser, Page, Response } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, newVisit, posted, type Visit } from './browser.ts'
import { startPublished, type TestEdge } from './server.ts'

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
afterEach(() => visit.context.close())

const FOR_YOU = '#for-you .card .open'

async function openShop(options: Parameters<typeof newVisit>[1] = {}): Promise<Page> {
  visit = await newVisit(browser, options)
  await visit.page.goto(edge.url)
  await visit.page.waitForSelector(FOR_YOU)
  await visit.quiet()
  return visit.page
}

const idsIn = (page: Page, shelf: string): Promise<string[]> =>
  page.$$eval(`${shelf} .card[data-id]`, (cards) => cards.map((card) => card.getAttribute('data-id') ?? ''))
const fact = (page: Page, name: string): Promise<string | null> => page.textContent(`#badge [data-fact="${name}"]`)

/** Opens the nth item of a shelf and closes it again. */
async function look(page: Page, shelf: string, nth: number): Promise<void> {
  await page.click(`${shelf} .card:nth-child(${nth}) .open`)
  await page.waitForSelector('dialog.item[open] #similar .card .open')
  await page.keyboard.press('Escape')
  await visit.quiet()
}

describe('the demo page', () => {
  it('fills its shelves from the release, with a picture and a reason for every item, and says how', async () => {
    const page = await openShop()
    await page.waitForSelector('#trending .card .open')
    expect(await idsIn(page, '#for-you')).toHaveLength(10)
    const alts = await page.$$eval('#shelves .card img', (images) => images.map((image) => image.getAttribute('alt')))
    expect(alts.length).toBeGreaterThanOrEqual(16)
    expect(alts.every((alt) => (alt ?? '').length > 3)).toBe(true)
    expect(new Set(await page.$$eval('#for-you .card img', (images) => images.map((image) => image.getAttribute('src')))).size).toBe(10)
    expect(await page.locator('#for-you .card').getByText('Why this?').count()).toBe(10)
    expect(await fact(page, 'release')).toBe(`release ${edge.report.release.slice(0, 8)}`)
    expect(await fact(page, 'rung')).toBe('region-list')
    expect(Number.parseFloat((await fact(page, 'waited')) ?? '')).toBeGreaterThan(0)
    expect(visit.complaints).toEqual([])
  })

  it('weighs at most 60 KB gzip and asks nobody else for anything', async () => {
    visit = await newVisit(browser)
    const sizes: Promise<number>[] = []
    const weigh = (response: Response): void => {
      if (!new URL(response.url()).pathname.startsWith('/v1/'))
        sizes.push(response.body().then((body) => gzipSync(body, { level: 9 }).length))
    }
    visit.page.on('response', weigh)
    await visit.page.goto(edge.url)
    await visit.page.waitForSelector(FOR_YOU)
    // What comes after is not waited for, and its body would be asked of a page that is closed by then.
    visit.page.off('response', weigh)
    const weight = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    expect(weight).toBeGreaterThan(10_000)
    expect(weight).toBeLessThanOrEqual(60 * 1024)
    const elsewhere = visit.requests.filter((request) => !request.url().startsWith(edge.url) && !request.url().startsWith('data:'))
    expect(elsewhere.map((request) => request.url())).toEqual([])
  })

  it('turns to the visitor: with consent, what one looks at changes the next order', async () => {
    const page = await openShop()
    await page.getByRole('button', { name: 'Yes, remember' }).click()
    await visit.quiet()
    const before = await idsIn(page, '#for-you')
    await look(page, '#for-you', 4)
    const after = await idsIn(page, '#for-you')
    expect(after).not.toEqual(before)
    expect(await fact(page, 'cohort')).toMatch(/^cohort \d+$/)
    expect(['onnx', 'reference']).toContain(await fact(page, 'rung'))
    expect(await page.textContent('#because h2')).toContain('Because you looked at')
    await page.waitForSelector('#recent .card .open')
    expect(await idsIn(page, '#recent')).toEqual([before[3]])

    const clicks = posted(visit.requests, '/v1/events').flatMap(
      ({ events }) => events as { type: string; item?: string; position?: number }[],
    )
    expect(clicks).toContainEqual(
      expect.objectContaining({ type: 'click', item: before[3], position: 4, scenario: 'home', recommId: expect.any(String) }),
    )
    expect(clicks).toContainEqual(expect.objectContaining({ type: 'impression', waited: expect.any(Number) }))
    expect(visit.complaints).toEqual([])
  })

  it('still knows the visitor after a reload, from the token or their object', async () => {
    const page = await openShop()
    await page.getByRole('button', { name: 'Yes, remember' }).click()
    await visit.quiet()
    const [first] = await idsIn(page, '#for-you')
    await look(page, '#for-you', 1)
    await page.evaluate(() => sessionStorage.clear())
    await page.reload()
    await page.waitForSelector('#recent .card .open')
    await visit.quiet()
    expect(await idsIn(page, '#recent')).toEqual([first])
    expect(await page.textContent('#because h2')).toContain('Because you looked at')
  })

  it('keeps and sends nothing about a visitor who has not agreed', async () => {
    const page = await openShop()
    await page.getByRole('button', { name: 'No, thank you' }).click()
    const before = await idsIn(page, '#for-you')
    await look(page, '#for-you', 2)
    await look(page, '#for-you', 3)
    expect(await idsIn(page, '#for-you')).toEqual(before)
    expect(await page.textContent('#for-you .note')).toContain('Nothing about you is kept')
    expect(await fact(page, 'cohort')).toBe('no cohort')
    expect(await page.evaluate(() => [localStorage.getItem('nightjar'), sessionStorage.getItem('nightjar')])).toEqual([null, null])
    const bodies = [...posted(visit.requests, '/v1/events'), ...posted(visit.requests, '/v1/recommendations')]
    expect(bodies.length).toBeGreaterThan(5)
    for (const body of bodies) {
      expect(body).not.toHaveProperty('visitor')
      expect(body).not.toHaveProperty('token')
      expect(body).not.toHaveProperty('referrer')
    }
    expect(posted(visit.requests, '/v1/visitors')).toEqual([])
    expect(await visit.context.cookies()).toEqual([])
  })

  it('forgets at once when the visitor changes their mind', async () => {
    const page = await openShop()
    const before = await idsIn(page, '#for-you')
    await page.getByRole('switch').click()
    await visit.quiet()
    await look(page, '#for-you', 3)
    expect(await page.evaluate(() => localStorage.getItem('nightjar'))).toMatch(/^v1\./)
    expect(await page.evaluate(() => sessionStorage.getItem('nightjar'))).toEqual(expect.any(String))
    await page.getByRole('switch').click()
    expect(await page.evaluate(() => [localStorage.getItem('nightjar'), sessionStorage.getItem('nightjar')])).toEqual([null, null])
    await page.waitForFunction(() => document.querySelector('#badge [data-fact="cohort"]')?.textContent === 'no cohort')
    expect(await idsIn(page, '#for-you')).toEqual(before)
  })

  it('shows another country what that country likes', async () => {
    const page = await openShop()
    const lists: string[][] = []
    for (const [code, name] of [
      ['DE', 'Germany'],
      ['BR', 'Brazil'],
    ] as const) {
      await page.selectOption('#region', code)
      await page.waitForFunction((wanted) => document.querySelector('#badge [data-fact="region"]')?.textContent === wanted, code)
      await page.getByRole('heading', { name: `Trending in ${name}` }).waitFor()
      lists.push(await idsIn(page, '#for-you'), await idsIn(page, '#trending'))
    }
    expect(lists[0]).not.toEqual(lists[2])
    expect(lists[1]).not.toEqual(lists[3])
    expect(await page.locator('#region option').count()).toBeGreaterThanOrEqual(9)
  })

  it('explains an item in words, and in numbers on demand', async () => {
    const page = await openShop()
    await page.getByRole('switch').click()
    await look(page, '#for-you', 2)
    await page.locator('#for-you .card').first().getByText('Why this?').click()
    const why = page.locator('dialog.why[open]')
    expect(await why.locator('.reasons li').first().textContent()).toMatch(/^(It is|You|Visitors)/)
    await why.getByText('Show the numbers').click()
    await why.locator('table').waitFor()
    expect(await why.locator('tr').count()).toBeGreaterThan(8)
    expect(await why.locator('tr', { hasText: 'score' }).first().locator('td').textContent()).toMatch(/^-?\d+\.\d{4}$/)
  })

  it('fills the cart, says what goes with it, and takes the order', async () => {
    const page = await openShop()
    await page.getByRole('switch').click()
    const [first] = await idsIn(page, '#for-you')
    await page.locator('#for-you .card').first().getByText('Add').click()
    await page.getByRole('button', { name: 'Cart, 1 item' }).click()
    await page.waitForSelector('dialog.drawer[open] #along .card .open')
    expect(await idsIn(page, '#along')).not.toContain(first)
    const taken = page.waitForResponse((answer) => answer.request().postData()?.includes('"purchase"') ?? false)
    await page.getByRole('button', { name: 'Place the order' }).click()
    const answer: { results: { status: string }[] } = await (await taken).json()
    expect(new Set(answer.results.map(({ status }) => status))).toEqual(new Set(['accepted']))
    await page.getByText('Thank you.').waitFor()
  })

  it('can be used with the keyboard alone', async () => {
    const page = await openShop()
    await page.locator(FOR_YOU).first().focus()
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog.item[open]')
    expect(await page.evaluate(() => document.activeElement?.closest('dialog.item') !== null)).toBe(true)
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog.item', { state: 'hidden' })
    await visit.quiet()
    expect(await page.evaluate(() => document.activeElement?.closest('#for-you') !== null)).toBe(true)
    await page.getByRole('switch').focus()
    await page.keyboard.press('Space')
    expect(await page.getByRole('switch').getAttribute('aria-checked')).toBe('true')
  })

  it.each([360, 390])('fits a phone of %i px', async (width) => {
    const page = await openShop({ viewport: { width, height: 844 }, isMobile: true, hasTouch: true })
    const overflow = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
    await page.waitForSelector('#trending .card .open')
    expect(await overflow()).toBe(0)
    await page.locator(FOR_YOU).first().tap()
    await page.waitForSelector('dialog.item[open] #similar .card .open')
    expect(await page.$eval('dialog.item', (dialog) => dialog.scrollWidth - dialog.clientWidth)).toBe(0)
    expect(await overflow()).toBe(0)
  })

  it('stays up when the API does not, and fills once it answers', async () => {
    visit = await newVisit(browser)
    const { page } = visit
    await page.route('**/v1/**', (route) => route.abort())
    await page.goto(edge.url)
    await page.getByText('cannot reach its recommendations').first().waitFor()
    expect(await page.textContent('#badge')).toContain('no answer')
    // The browser itself reports failed requests; the page must add nothing to that.
    expect(visit.complaints.filter((text) => !text.includes('net::ERR_FAILED'))).toEqual([])
    await page.unroute('**/v1/**')
    await page.locator('#for-you').getByRole('button', { name: 'Try again' }).click()
    await page.waitForSelector(FOR_YOU)
  })
})
