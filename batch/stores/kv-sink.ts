/** The night's side of the RELEASES namespace: one interface, a driver for local state and one for the REST API. */
export type KvSink = {
  /** Null where the key does not exist. */
  get(key: string): Promise<Uint8Array | null>
  /** Every key with this prefix, in ascending order. */
  list(prefix: string): Promise<string[]>
  /** Writes all entries, or throws after its retries; never silently a part. */
  put(entries: { key: string; value: Uint8Array | string }[]): Promise<void>
  /** Deleting what is not there is no error. */
  delete(keys: string[]): Promise<void>
  close(): Promise<void>
}
