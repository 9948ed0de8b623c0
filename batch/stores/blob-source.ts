/** The night's side of a bucket: EVENTS has the archive of events and of releases, EVENTS_EU the EU's part of that of events. */
export type BlobSource = {
  /** Every key with this prefix, in ascending order. */
  list(prefix: string): Promise<string[]>
  /** @throws when the key does not exist */
  get(key: string): Promise<Uint8Array>
  put(key: string, bytes: Uint8Array): Promise<void>
  delete(keys: string[]): Promise<void>
  close(): Promise<void>
}
