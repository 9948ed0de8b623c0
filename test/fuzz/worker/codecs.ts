import { sign } from 'hono/jwt'
import { adminClaims } from '../../../shared/admin-token.ts'
import { AUDIT_START, type AuditEntry, nextEntry, verifyChain } from '../../../shared/audit.ts'
import { isGenuine, signReceipt } from '../../../shared/receipt.ts'
import { canonicalJson } from '../../../shared/release/hash.ts'
import { checkEntry, ManifestError, parseChannel } from '../../../shared/release/manifest.ts'
import { utf8 } from '../../../shared/utf8.ts'
import { adminOf } from '../../../workers/identity/admin.ts'
import { identify } from '../../../workers/identity/identify.ts'
import { openMemory, sealMemory } from '../../../workers/identity/memory-token.ts'
import { mintVisitorId, readVisitorId } from '../../../workers/identity/visitor-id.ts'
import { buildTinyRelease, type TinyRelease } from '../../edge/fixtures/tiny-release.ts'
import { archiveCodecs } from './archive-codecs.ts'
import { type Codec, orNull, parsed, printed, textOf, vouched } from './codec.ts'
import { packCodecs } from './pack-codecs.ts'

const NOW = 1_790_000_000_000

/** Everything that the edge reads and did not write a moment ago. */
export async function codecs(env: Env): Promise<Codec[]> {
  const member = { visitor: '00112233aabbccdd', items: [1, 2, 3], deeds: [0, 1, 2] as (0 | 1 | 2)[], days: [1, 2, 3] }
  const release = await buildTinyRelease({ members: [member] })
  return [
    ...(await packCodecs(release)),
    ...(await manifestCodecs(release)),
    ...(await tokenCodecs(env)),
    ...(await signedCodecs(env)),
    ...archiveCodecs(),
  ]
}

async function manifestCodecs({ entry, channel }: TinyRelease): Promise<Codec[]> {
  const manifest = await vouched('manifest', utf8(JSON.stringify(entry)), (bytes) =>
    orNull(ManifestError, async () => {
      const value = parsed(textOf(bytes))
      return value === undefined ? null : checkEntry(value as { release: string; manifest: unknown })
    }),
  )
  const text = JSON.stringify(channel)
  return [
    manifest,
    {
      name: 'channel',
      original: utf8(text),
      async read(bytes) {
        const said = textOf(bytes)
        const read = await orNull(ManifestError, () => parseChannel(said))
        if (read === null) return 'refused'
        if (printed(read) !== printed(JSON.parse(said))) return 'wrong'
        // Nobody vouches for the pointer; each release that it points to is vouched for.
        const trusted = await orNull(ManifestError, () => checkEntry(read.stable as { release: string; manifest: unknown }))
        if (trusted !== null && canonicalJson(trusted) !== canonicalJson(channel.stable)) return 'wrong'
        return said === text ? 'equal' : 'read'
      },
    },
  ]
}

async function tokenCodecs(env: Env): Promise<Codec[]> {
  const anna = { hash: '0011223344556677', eu: false }
  const items = Array.from({ length: 20 }, (_, i) => ({ hash: 2 ** 40 + i, deed: (i % 3) as 0 | 1 | 2, at: NOW - 1000 * i }))
  const until = Math.floor(Date.now() / 1000) + 86_400
  // No header can say anything else: nobody is asked then.
  const request = (bearer: string): Request | null =>
    /^[\x20-\x7e]*$/.test(bearer) ? new Request('https://edge.test/', { headers: { authorization: `Bearer ${bearer}` } }) : null
  const anyone = new Request('https://edge.test/')
  const admin = await sign(adminClaims(env.SITE, 'ops', ['catalogue', 'audit'], until), env.ADMIN_KEY, 'HS256')
  const identity = await sign({ sub: 'customer-1', exp: until, aud: env.SITE }, env.IDENTITY_KEY, 'HS256')
  const asAdmin = async (bytes: Uint8Array): Promise<unknown> => {
    const asked = request(textOf(bytes))
    return asked === null ? null : adminOf(env, asked)
  }
  return [
    await vouched('token: memory', utf8(await sealMemory(env, anna, { items }, NOW)), (bytes) => openMemory(env, anna, textOf(bytes), NOW)),
    await sealedCodec(env, anna),
    await vouched('token: identity', utf8(identity), async (bytes) => identify(env, anyone, textOf(bytes))),
    await vouched('token: admin', utf8(admin), asAdmin),
    await vouched('token: admin key', utf8(env.ADMIN_KEY), asAdmin),
    await vouched('visitor id', utf8(await mintVisitorId(env.ID_KEY, true)), (bytes) => readVisitorId(env.ID_KEY, textOf(bytes))),
  ]
}

async function signedCodecs(env: Env): Promise<Codec[]> {
  const remains = [{ what: 'a mark', until: '2026-12-01T00:00:00.000Z' }]
  const unsigned = {
    erased: true as const,
    site: env.SITE,
    pseudonym: '0011223344556677',
    at: '2026-11-27T00:00:00.000Z',
    remains,
    audit: AUDIT_START,
  }
  const receipt = await signReceipt(env.ID_KEY, unsigned)
  const chain: AuditEntry[] = []
  for (let i = 0, head = AUDIT_START; i < 4; i++) {
    const entry = await nextEntry(head, { action: 'admin', actor: 'admin:ops', detail: { flushed: i } }, NOW + i)
    chain.push(entry)
    head = entry
  }
  return [
    await vouched('receipt', utf8(JSON.stringify(receipt)), async (bytes) => {
      const value = parsed(textOf(bytes))
      return (await isGenuine(env.ID_KEY, value)) ? canonicalJson(value) : null
    }),
    await vouched('audit log', utf8(JSON.stringify(chain)), async (bytes) => {
      const entries = parsed(textOf(bytes))
      if (!Array.isArray(entries)) return null
      const { fault, head } = await verifyChain(entries)
      // Cut off at the end it is whole; where it has to end, receipts and the night's own log say.
      return fault !== null || head.hash !== chain.at(-1)?.hash ? null : canonicalJson(entries)
    }),
  ]
}

/** What a key of ours has sealed, and is still not what this code seals: as another version might. */
async function sealedCodec(env: Env, identity: { hash: string; eu: boolean }): Promise<Codec> {
  const key = await crypto.subtle.importKey('raw', Uint8Array.fromBase64(env.TOKEN_KEYS.slice('k1:'.length)), 'AES-GCM', false, ['encrypt'])
  const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12), additionalData: utf8(`${env.SITE} ${identity.hash}`) }
  const original = new Uint8Array(6 + 3 * 11)
  new DataView(original.buffer).setUint16(0, 0x0103)
  new DataView(original.buffer).setUint32(2, Math.floor(NOW / 1000) + 60)
  return {
    name: 'token: memory, sealed again',
    original,
    async read(bytes) {
      const sealed = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, bytes))
      const token = new Uint8Array(12 + sealed.length)
      token.set(sealed, 12)
      const memory = await openMemory(env, identity, `k1.${token.toBase64({ alphabet: 'base64url', omitPadding: true })}`, NOW)
      if (memory === null) return 'refused'
      const sound = memory.items.length === bytes[1] && memory.items.every(({ hash, deed, at }) => hash < 2 ** 48 && deed <= 2 && at >= 0)
      return sound ? 'read' : 'wrong'
    },
  }
}
