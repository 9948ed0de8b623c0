import { AUDIT_START, type AuditHead, type AuditNote, auditKey, auditPrefix, nextEntry, verifyChain } from '../../shared/audit.ts'
import type { BlobSource } from '../stores/blob-source.ts'

/** Every line of a writer's audit log, in order. @throws Error naming the file that cannot be read */
export async function readAudit(archive: BlobSource, writer: 'edge' | 'night'): Promise<unknown[]> {
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

/**
 * Adds a line to the night's own chain. Only one night runs at a time, so nobody else writes there. Each line also holds
 * where the edge's chain ended then: its end cannot be cut off later without a trace.
 * @throws Error when the chain so far is not whole: it has to be looked at, not continued
 */
export async function recordNight(archive: BlobSource, note: AuditNote, now: number): Promise<AuditHead> {
  const { head, fault } = await verifyChain(await readAudit(archive, 'night'))
  if (fault !== null) throw new Error(`the night’s audit log is not whole (${fault}); "npx nightjar audit" shows it`)
  const edge = (await verifyChain(await readAudit(archive, 'edge'))).head
  const detail = edge.seq === AUDIT_START.seq ? note.detail : { ...note.detail, edgeSeq: edge.seq, edgeHash: edge.hash }
  const entry = await nextEntry(head, { ...note, detail }, now)
  await archive.put(auditKey('night', entry.seq), new TextEncoder().encode(`${JSON.stringify(entry)}\n`))
  return { seq: entry.seq, hash: entry.hash }
}
