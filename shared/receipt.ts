import type { AuditHead } from './audit.ts'
import { hmacHex } from './pseudonym.ts'
import { canonicalJson } from './release/hash.ts'

/** What an erasure leaves behind, and until when (ISO 8601); `audit` is its line in the edge's audit log. */
export type Receipt = {
  erased: true
  site: string
  pseudonym: string
  at: string
  remains: { what: string; until: string }[]
  audit: AuditHead
}

/** `signature`: HMAC-SHA-256 over the rest, under a key made of ID_KEY: the site can tell its own receipts from others. */
export type SignedReceipt = Receipt & { signature: string }

export const signReceipt = async (idKey: string, receipt: Receipt): Promise<SignedReceipt> => ({
  ...receipt,
  signature: await signatureOf(idKey, receipt),
})

/** Whether the deployment with this ID_KEY gave the receipt, and nothing of it was changed. */
export async function isGenuine(idKey: string, value: unknown): Promise<boolean> {
  if (value === null || typeof value !== 'object' || !('signature' in value)) return false
  const { signature, ...receipt } = value
  return signature === (await signatureOf(idKey, receipt))
}

/** The prefix keeps a receipt from ever being a pseudonym or an id: those begin with other words. */
const signatureOf = (idKey: string, receipt: object): Promise<string> => hmacHex(idKey, `receipt:${canonicalJson(receipt)}`)
