import {
  AUDIT_START,
  type AuditHead,
  type AuditNote,
  type AuditWriter,
  auditKey,
  auditPrefix,
  nextEntry,
  verifyChain,
} from '../../shared/audit.ts'
import type { BlobSource } from '../stores/blob-source.ts'

/** Every line of a writer's audit log, in order. @throws Error naming the file that cannot be read */
export async function readAudit(archive: BlobSource, writer: AuditWriter): Promise<unknown[]> {
  const entries: unknown[] = []
  for (const key of await archive.list(auditPrefix(writer))) {
    const lines = new TextDecoder().decode(await archive.get(key)).split('\n')
    for (const line of lines.filter((text) => text !== '')) entries.push(parse(line))
  }
  return entries
}

/** What cannot be parsed stays what it is: the chain's judge will say that it is no line. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}

/** Lines of two who write at the same moment take the same place: so often it is looked whether one's own is there. */
const ATTEMPTS = 5

/**
 * Adds a line to the chain of the night or of the operator. Each line also holds where the edge's chain ended then: its end
 * cannot be cut off later without a trace. @param now Unix milliseconds
 * @throws Error when the chain so far is not whole: it has to be looked at, not continued
 */
export async function recordFor(writer: 'night' | 'operator', archive: BlobSource, note: AuditNote, now: number): Promise<AuditHead> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { head, fault } = await verifyChain(await readAudit(archive, writer))
    if (fault !== null) throw new Error(`the ${writer}’s audit log is not whole (${fault}); "npx nightjar audit" shows it`)
    const edge = (await verifyChain(await readAudit(archive, 'edge'))).head
    const detail = edge.seq === AUDIT_START.seq ? note.detail : { ...note.detail, edgeSeq: edge.seq, edgeHash: edge.hash }
    const entry = await nextEntry(head, { ...note, detail }, now)
    const line = `${JSON.stringify(entry)}\n`
    const key = auditKey(writer, entry.seq)
    await archive.put(key, new TextEncoder().encode(line))
    if (new TextDecoder().decode(await archive.get(key)) === line) return { seq: entry.seq, hash: entry.hash }
  }
  throw new Error(`others kept writing to the ${writer}’s audit log; try again`)
}
