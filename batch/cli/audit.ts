import { resolve } from 'node:path'
import { Command } from 'commander'
import { type AuditEntry, type AuditHead, type AuditWriter, auditWriters, verifyChain } from '../../shared/audit.ts'
import { readAudit } from '../night/audit.ts'
import { readDevServer } from '../stores/dev-server.ts'
import { readAdminKey } from './secrets.ts'
import { openTarget, type TargetOptions, withTarget } from './target.ts'

type AuditOptions = TargetOptions & { url?: string; json?: true }

export const auditCommand = (): Command =>
  withTarget(
    new Command('audit')
      .description('check the audit logs of edge, night and command line, and print their lines')
      .option('--url <url>', 'an edge to ask where its log really ends; the local one that is running where none is given')
      .option('--json', 'print JSON'),
  ).action(async (options: AuditOptions) => {
    const stores = await openTarget(options)
    try {
      const read = async (writer: AuditWriter): Promise<AuditEntry[]> => (await readAudit(stores.blobs, writer)) as AuditEntry[]
      const logs = { edge: await read('edge'), night: await read('night'), operator: await read('operator') }
      const faults: string[] = []
      for (const writer of auditWriters) {
        const { fault } = await verifyChain(logs[writer])
        if (fault !== null) faults.push(`${writer}: ${fault}`)
      }
      faults.push(
        ...anchorsMissing(logs.edge, 'night', logs.night),
        ...anchorsMissing(logs.edge, 'operator', logs.operator),
        ...endMissing(logs.edge, await copiedByEdge(options)),
      )
      process.stdout.write(options.json ? `${JSON.stringify({ whole: faults.length === 0, faults, ...logs })}\n` : report(logs, faults))
      if (faults.length > 0) process.exitCode = 1
    } finally {
      await stores.close()
    }
  })

/** Each line of the others says where the edge's log ended then: that line must still be there, with that hash. */
function anchorsMissing(edge: readonly AuditEntry[], writer: AuditWriter, entries: readonly AuditEntry[]): string[] {
  const hashes = new Map(edge.map(({ seq, hash }) => [seq, hash]))
  return entries.flatMap(({ seq, detail }) =>
    detail?.edgeSeq === undefined || hashes.get(Number(detail.edgeSeq)) === detail.edgeHash
      ? []
      : [`edge: line ${detail.edgeSeq}, which line ${seq} of the ${writer} vouches for, is gone or another`],
  )
}

/** What the edge has copied must be there: a copy whose end was cut off is whole in itself. */
function endMissing(edge: readonly AuditEntry[], copied: AuditHead | null): string[] {
  if (copied === null || copied.seq === 0 || edge[copied.seq - 1]?.hash === copied.hash) return []
  return [`edge: line ${copied.seq}, the last that the edge has copied, is gone or another`]
}

async function copiedByEdge({ url, directory, remote }: AuditOptions): Promise<AuditHead | null> {
  const at = url ?? (remote ? undefined : readDevServer(resolve(directory))?.url)
  const key = readAdminKey()
  if (at === undefined || key === null) return null
  const answer = await fetch(`${at.replace(/\/$/, '')}/v1/admin/audit`, { headers: { authorization: `Bearer ${key}` } })
  if (!answer.ok) throw new Error(`${at} answered ${answer.status} when asked where its audit log ends`)
  return ((await answer.json()) as { copied: AuditHead }).copied
}

function report(logs: Record<AuditWriter, readonly AuditEntry[]>, faults: readonly string[]): string {
  const lines = auditWriters.flatMap((writer) =>
    logs[writer].map(({ seq, at, actor, action, detail }) =>
      [at, `${writer} ${seq}`, actor, action, ...Object.entries(detail ?? {}).map(([name, value]) => `${name}=${value}`)].join('  '),
    ),
  )
  const verdict =
    faults.length === 0
      ? [`Whole: ${logs.edge.length} lines of the edge, ${logs.night.length} of the night, ${logs.operator.length} of the command line.`]
      : faults.map((fault) => `NOT WHOLE  ${fault}`)
  return `${[...lines, ...verdict].join('\n')}\n`
}
