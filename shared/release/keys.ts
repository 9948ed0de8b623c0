/** Every KV key of a release lives here; `docs/storage-schema.md` shows an example of each. */
export const CHANNEL_KEY = 'channel'
export const OVERLAY_KEY = 'overlay'
export const packKey = (hash: string): string => `pack/${hash}`
export const manifestKey = (release: string): string => `manifest/${release}`
export const MANIFEST_PREFIX = 'manifest/'
export const PACK_PREFIX = 'pack/'
