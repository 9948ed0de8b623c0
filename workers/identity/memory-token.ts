import { type Memory, TOKEN_ITEMS } from '../../shared/memory.ts'
import type { Deed } from '../../shared/ranking/release-view.ts'
import { utf8 } from '../../shared/utf8.ts'
import type { Reading } from '../reading.ts'
import { fromBase64Url, toBase64Url } from './base64url.ts'
import type { Identity } from './identify.ts'
import { countIgnored } from './ignored-tokens.ts'

/** A token is worth this long; after it, the visitor's object is read. */
export const TOKEN_LIFE_SECONDS = 30 * 60
const VERSION = 1
const IV_BYTES = 12
const HEAD_BYTES = 6
const ITEM_BYTES = 11

const imported = new Map<string, Reading<CryptoKey>>()

/**
 * What a visitor did lately, sealed for the browser to send back (AES-GCM; site and visitor are bound as additional data,
 * so another visitor's token does not open). It is made only for visitors who consented. Layout: version, item count, expiry (u32 seconds), then for each item 48 bits of
 * hash, the deed, and its time (u32 seconds). At most 400 characters with 20 items.
 * @param now Unix milliseconds
 */
export async function sealMemory(env: Env, identity: Identity, memory: Memory, now: number): Promise<string> {
  const [keyId, key] = await firstKey(env.TOKEN_KEYS)
  const items = memory.items.slice(0, TOKEN_ITEMS)
  const plain = new Uint8Array(HEAD_BYTES + ITEM_BYTES * items.length)
  const view = new DataView(plain.buffer)
  view.setUint8(0, VERSION)
  view.setUint8(1, items.length)
  view.setUint32(2, Math.floor(now / 1000) + TOKEN_LIFE_SECONDS)
  items.forEach(({ hash, deed, at }, i) => {
    const from = HEAD_BYTES + ITEM_BYTES * i
    view.setUint16(from, Math.floor(hash / 0x1_0000_0000))
    view.setUint32(from + 2, hash >>> 0)
    view.setUint8(from + 6, deed)
    view.setUint32(from + 7, Math.floor(at / 1000))
  })
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: boundTo(env, identity) }, key, plain)
  const bytes = new Uint8Array(IV_BYTES + sealed.byteLength)
  bytes.set(iv)
  bytes.set(new Uint8Array(sealed), IV_BYTES)
  return `${keyId}.${toBase64Url(bytes)}`
}

/**
 * Null, and counted, for a token that is forged, cut, expired, of another visitor or of another site.
 * @param now Unix milliseconds
 */
export async function openMemory(env: Env, identity: Identity, token: string, now: number): Promise<Memory | null> {
  const opened = await open(env, identity, token)
  const memory = opened === null || expiryOf(opened) < now ? null : readItems(opened)
  if (memory === null) countIgnored('memory', opened !== null && expiryOf(opened) < now ? 'expired' : 'forged or damaged')
  return memory
}

/** What is in a token of this visitor that this deployment sealed, whenever that was. */
async function open(env: Env, identity: Identity, token: string): Promise<DataView | null> {
  const dot = token.indexOf('.')
  const bytes = fromBase64Url(token.slice(dot + 1))
  if (bytes === null || bytes.length <= IV_BYTES) return null
  try {
    const key = keyNamed(env.TOKEN_KEYS, token.slice(0, Math.max(dot, 0)))
    if (key === null) return null
    const algorithm = { name: 'AES-GCM', iv: bytes.subarray(0, IV_BYTES), additionalData: boundTo(env, identity) }
    const view = new DataView(await crypto.subtle.decrypt(algorithm, key instanceof Promise ? await key : key, bytes.subarray(IV_BYTES)))
    return view.byteLength < HEAD_BYTES || view.getUint8(0) !== VERSION ? null : view
  } catch {
    return null
  }
}

const expiryOf = (view: DataView): number => view.getUint32(2) * 1000

function readItems(view: DataView): Memory | null {
  const count = view.getUint8(1)
  if (view.byteLength !== HEAD_BYTES + ITEM_BYTES * count) return null
  const items: Memory['items'] = []
  for (let from = HEAD_BYTES; from < view.byteLength; from += ITEM_BYTES)
    items.push({
      hash: view.getUint16(from) * 0x1_0000_0000 + view.getUint32(from + 2),
      deed: Math.min(2, view.getUint8(from + 6)) as Deed,
      at: view.getUint32(from + 7) * 1000,
    })
  return { items }
}

const boundTo = (env: Env, identity: Identity): Uint8Array => utf8(`${env.SITE} ${identity.hash}`)

const read = new Map<string, [string, string][]>()

/** TOKEN_KEYS is `id:base64,id:base64`: the first seals, all of them open, so that keys can be rotated. */
function keyTexts(keys: string): [string, string][] {
  let texts = read.get(keys)
  if (texts === undefined) {
    texts = keys.split(',').map((entry) => {
      const [id, ...rest] = entry.trim().split(':')
      return [id, rest.join(':')]
    })
    read.set(keys, texts)
  }
  return texts
}

async function firstKey(keys: string): Promise<[string, CryptoKey]> {
  const [id, text] = keyTexts(keys)[0]
  return [id, await importKey(text)]
}

function keyNamed(keys: string, id: string): Reading<CryptoKey> | null {
  const found = keyTexts(keys).find(([name]) => name === id)
  return found === undefined ? null : importKey(found[1])
}

function importKey(text: string): Reading<CryptoKey> {
  const known = imported.get(text)
  if (known !== undefined) return known
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  const importing = crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']).then((key) => {
    imported.set(text, key)
    return key
  })
  imported.set(text, importing)
  return importing
}
