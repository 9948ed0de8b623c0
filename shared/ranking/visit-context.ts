/** Where a visit came from; `internal` is a page of the site itself. */
export const referrerClasses = ['none', 'internal', 'search', 'social', 'email', 'other'] as const
export type ReferrerClass = (typeof referrerClasses)[number]

export const deviceClasses = ['phone', 'tablet', 'desktop', 'other'] as const
export type DeviceClass = (typeof deviceClasses)[number]

/** What is known of a visit before its first click, beside the region; null where nobody said. `hour` is local, 0 … 23. */
export type VisitContext = { referrer: ReferrerClass | null; device: DeviceClass | null; hour: number | null }

export const UNKNOWN_CONTEXT: VisitContext = { referrer: null, device: null, hour: null }

const HOURS_A_BAND = 4
/** Bands of four local hours: '0' is midnight to four. */
export const hourBand = (hour: number): string => String(Math.floor(hour / HOURS_A_BAND))

const MAIL = /^(e?mail|webmail|outlook|mailchi)\.|(^|\.)proton\.me$|^com\.google\.android\.gm$/
const SEARCH = /(^|\.)(google|bing|duckduckgo|yahoo|ecosia|baidu|yandex|qwant|startpage|naver|seznam)\.|^search\./
const SOCIAL =
  /(^|\.)(facebook|instagram|twitter|pinterest|linkedin|reddit|tiktok|youtube|snapchat|whatsapp|weibo|tumblr|vk)\.|(^|\.)(t\.co|x\.com|lnkd\.in|youtu\.be|threads\.(net|com)|bsky\.app|t\.me|fb\.me|pin\.it)$|^mastodon\./

/** @param referrer a URL, or '' for none @param own hosts of the site itself */
export function referrerClass(referrer: string, own: ReadonlySet<string> = new Set()): ReferrerClass {
  if (referrer === '') return 'none'
  const host = hostOf(referrer)
  if (host === null) return 'other'
  if (own.has(host)) return 'internal'
  // Mail first: much of it is read at hosts of search engines.
  if (MAIL.test(host)) return 'email'
  if (SOCIAL.test(host)) return 'social'
  // Apps name themselves the other way round: com.google.android….
  return SEARCH.test(host) || host.startsWith('com.google.') ? 'search' : 'other'
}

/** The host that a URL names, with its port; null for what is no URL. */
export function hostOf(url: string): string | null {
  const host = URL.canParse(url) ? new URL(url).host.toLowerCase() : ''
  return host === '' ? null : host
}

const TABLET = /iPad|Tablet|PlayBook|Kindle|Silk\/(?!.*Mobile)|Android(?!.*Mobile)/i
const PHONE = /Mobi|iPhone|iPod|Android|Windows Phone/i
const DESKTOP = /Windows NT|Macintosh|CrOS|X11|Linux/i
const NO_BROWSER = /bot|crawl|spider|TV|Roku|Console|PlayStation|Xbox/i

/** @param mobile the header Sec-CH-UA-Mobile @param userAgent the header User-Agent; null where they are missing */
export function deviceClass(mobile: string | null, userAgent: string | null): DeviceClass | null {
  if (mobile === '?1') return 'phone'
  if (userAgent === null || userAgent === '') return null
  // A header may be long on purpose.
  const told = userAgent.slice(0, 500)
  if (NO_BROWSER.test(told)) return 'other'
  if (TABLET.test(told)) return 'tablet'
  if (PHONE.test(told)) return 'phone'
  return DESKTOP.test(told) ? 'desktop' : 'other'
}
