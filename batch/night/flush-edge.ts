import { readDevServer } from '../stores/dev-server.ts'
import type { Progress } from './stages.ts'

/**
 * Asks a running local edge to write out the events it still holds, so that the night sees the last minute too. A deployed
 * edge flushes by its own alarm; the night never waits for it.
 */
export async function flushEdge(directory: string, adminKey: string | null, progress: Progress): Promise<void> {
  const server = readDevServer(directory)
  if (server === null || adminKey === null) return
  const answer = await fetch(`${server.url}/v1/admin/flush`, { method: 'POST', headers: { authorization: `Bearer ${adminKey}` } }).catch(
    () => null,
  )
  if (!answer?.ok)
    progress.note(`The edge at ${server.url} did not write out its newest events; tonight learns from those already in the archive.`)
}
