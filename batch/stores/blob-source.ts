/** The night's side of a bucket: EVENTS has the archive of events and of releases, EVENTS_EU the EU's part of that of events. */
export type BlobSource = {
  /** Every key with this prefix, in ascending order. */
  list(prefix: string): Promise<string[]>
  /** @throws NoSuchBlob when the key does not exist */
  get(key: string): Promise<Uint8Array>
  put(key: string, bytes: Uint8Array): Promise<void>
  delete(keys: string[]): Promise<void>
  close(): Promise<void>
}

export class NoSuchBlob extends Error {
  override name = 'NoSuchBlob'

  constructor(key: string) {
    super(`${key} is not in the bucket`)
  }
}

/** Null where the key is gone: the edge's cron takes out what has had its time, also between a listing and the reading of it. */
export async function unlessGone(archive: BlobSource, key: string): Promise<string | null> {
  try {
    return new TextDecoder().decode(await archive.get(key))
  } catch (error) {
    if (error instanceof NoSuchBlob) return null
    throw error
  }
}
