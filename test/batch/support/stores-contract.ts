import { expect, it } from 'vitest'
import type { Stores } from '../../../batch/stores/open-stores.ts'

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i)
const AWKWARD_KEYS = ['a/b/c', 'date=2026-11-23/x.ndjson', 'white space', 'percent%20sign', 'Grüße/日本', 'a?b#c&d+e']
/** More than one page of any listing. */
const MANY = 1005

const text = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString('utf8'))

/** What every driver of KvSink must do. */
export function kvContract(stores: () => Stores): void {
  it('answers null for a key that is not there', async () => {
    expect(await stores().kv.get('never-written')).toBeNull()
  })

  it('gives back texts and bytes as they were put, views and empty values among them', async () => {
    const megabyte = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 31) % 251)
    const entries = [
      { key: 'values/text', value: 'Grüße, "quotes" and \u0000' },
      { key: 'values/bytes', value: EVERY_BYTE },
      { key: 'values/view', value: EVERY_BYTE.subarray(100, 110) },
      { key: 'values/empty', value: new Uint8Array(0) },
      { key: 'values/megabyte', value: megabyte },
    ]
    const { kv } = stores()
    await kv.put(entries)
    expect(text(await kv.get('values/text'))).toBe(entries[0]?.value)
    expect(await kv.get('values/bytes')).toEqual(EVERY_BYTE)
    expect(await kv.get('values/view')).toEqual(EVERY_BYTE.slice(100, 110))
    expect(await kv.get('values/empty')).toEqual(new Uint8Array(0))
    expect(Buffer.compare((await kv.get('values/megabyte')) ?? EVERY_BYTE, megabyte)).toBe(0)
  })

  it('overwrites', async () => {
    const { kv } = stores()
    await kv.put([{ key: 'again', value: 'first' }])
    await kv.put([{ key: 'again', value: 'second' }])
    expect(text(await kv.get('again'))).toBe('second')
  })

  it('takes any characters in keys', async () => {
    const { kv } = stores()
    await kv.put(AWKWARD_KEYS.map((key) => ({ key: `keys/${key}`, value: key })))
    for (const key of AWKWARD_KEYS) expect(text(await kv.get(`keys/${key}`))).toBe(key)
    expect(await kv.list('keys/')).toEqual(AWKWARD_KEYS.map((key) => `keys/${key}`).sort())
  })

  it('lists and deletes all keys of a prefix and no others, past one page', async () => {
    const { kv } = stores()
    const keys = Array.from({ length: MANY }, (_, i) => `many/${String(i).padStart(4, '0')}`)
    await kv.put([...keys, 'manyfold'].map((key) => ({ key, value: key })))
    expect(await kv.list('many/')).toEqual(keys)
    await kv.delete(keys)
    expect(await kv.list('many')).toEqual(['manyfold'])
    expect(await kv.get('many/0000')).toBeNull()
  })

  it('takes nothing to do, and deleting what is not there, as done', async () => {
    const { kv } = stores()
    await kv.put([])
    await kv.delete([])
    await kv.delete(['never-written'])
    expect(await kv.list('never-written')).toEqual([])
  })
}

/** What every driver of BlobSource must do. */
export function blobContract(stores: () => Stores): void {
  it('gives back objects as they were put, and replaces them', async () => {
    const { blobs } = stores()
    await blobs.put('blobs/bytes', EVERY_BYTE)
    await blobs.put('blobs/view', EVERY_BYTE.subarray(7, 9))
    expect(await blobs.get('blobs/bytes')).toEqual(EVERY_BYTE)
    expect(await blobs.get('blobs/view')).toEqual(EVERY_BYTE.slice(7, 9))
    await blobs.put('blobs/bytes', EVERY_BYTE.subarray(0, 1))
    expect(await blobs.get('blobs/bytes')).toEqual(EVERY_BYTE.slice(0, 1))
  })

  it('names the key of an object that is not there', async () => {
    await expect(stores().blobs.get('blobs/absent')).rejects.toThrow('blobs/absent is not in the bucket')
  })

  it('takes any characters in keys', async () => {
    const { blobs } = stores()
    for (const key of AWKWARD_KEYS) await blobs.put(`keys/${key}`, Buffer.from(key))
    for (const key of AWKWARD_KEYS) expect(text(await blobs.get(`keys/${key}`))).toBe(key)
    expect(await blobs.list('keys/')).toEqual(AWKWARD_KEYS.map((key) => `keys/${key}`).sort())
    await blobs.delete(AWKWARD_KEYS.map((key) => `keys/${key}`))
    expect(await blobs.list('keys/')).toEqual([])
  })

  it('lists and deletes all objects of a prefix and no others, past one page', async () => {
    const { blobs } = stores()
    const keys = Array.from({ length: MANY }, (_, i) => `many/${String(i).padStart(4, '0')}`)
    for (let i = 0; i < keys.length; i += 50) await Promise.all(keys.slice(i, i + 50).map((key) => blobs.put(key, EVERY_BYTE)))
    await blobs.put('manyfold', EVERY_BYTE)
    expect(await blobs.list('many/')).toEqual(keys)
    await blobs.delete([...keys, 'many/absent'])
    expect(await blobs.list('many')).toEqual(['manyfold'])
    await blobs.delete([])
  })
}
