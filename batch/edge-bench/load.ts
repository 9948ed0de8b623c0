import autocannon from 'autocannon'

/** One request, again and again or as one of many. */
export type LoadRequest = { method: 'GET' | 'POST'; path: string; body?: string }

export type Load = {
  url: string
  connections: number
  seconds: number
  /** Each connection sends them in turn, from a place of its own on. */
  requests: LoadRequest[]
  /** At most so many a second, over all connections. */
  rate?: number
  /** Read every answer of a recommendation, and tell which release it is of and whether its parts are of one. */
  watch?: true
}

/**
 * What watched answers told: when each came (Unix milliseconds) and how long it took, when answers began to be of another
 * release than the one before, and how many had parts of more than one release.
 */
export type Watched = { at: number[]; ms: number[]; changes: { at: number; release: string }[]; mixed: number }

export type Loaded = {
  answers: number
  seconds: number
  /** Requests that got no answer, or one that is no success. */
  errors: number
  p50: number
  p90: number
  watched: Watched | null
}

/** The smallest value that at least a share `q` of the values does not exceed. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
}

/** Puts load on a server. autocannon's own histogram counts whole milliseconds; answers here take less than one. */
async function putLoad({ url, connections, seconds, requests, rate, watch }: Load): Promise<Loaded> {
  const times: number[] = []
  const watched: Watched = { at: [], ms: [], changes: [], mixed: 0 }
  let client = 0
  let first = 0
  let last = 0
  const texts = requests.map(({ method, path, body }) => ({
    method,
    path,
    ...(body !== undefined && { body, headers: { 'content-type': 'text/plain' } }),
    ...(watch && path === '/v1/recommendations' && { onResponse: (_: number, text: string) => look(watched, text) }),
  }))
  const options: autocannon.Options = {
    url,
    connections,
    duration: seconds,
    sampleInt: 50,
    ...(rate !== undefined && { overallRate: rate }),
    setupClient: (of) => {
      const from = Math.floor((client++ * texts.length) / connections)
      of.setRequests([...texts.slice(from), ...texts.slice(0, from)])
    },
  }
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const run = autocannon(options, (error: Error | null, done) => (error === null ? resolve(done) : reject(error)))
    run.on('response', (_client, _status, _bytes, ms) => {
      last = performance.now()
      first ||= last - ms
      times.push(ms)
      if (watch) {
        watched.at.push(Date.now())
        watched.ms.push(ms)
      }
    })
  })
  return {
    answers: times.length,
    seconds: (last - first) / 1000,
    errors: result.errors + result.non2xx,
    p50: quantile(times, 0.5),
    p90: quantile(times, 0.9),
    watched: watch ? watched : null,
  }
}

type WatchedAnswer = { release: string | null; items: { values: { edition?: number } }[] }

/** A made-up release writes its number into the values of each item. */
function look(watched: Watched, text: string): void {
  const { release, items }: WatchedAnswer = JSON.parse(text)
  const editions = new Set(items.map(({ values }) => values.edition))
  if (editions.size !== 1) watched.mixed++
  const told = `${release} of edition ${[...editions].join(' and ')}`
  if (watched.changes.at(-1)?.release !== told) watched.changes.push({ at: Date.now(), release: told })
}

process.on('message', (load: Load) => {
  putLoad(load)
    .then((loaded) => process.send?.({ loaded }))
    .catch((error: unknown) => process.send?.({ error: String(error) }))
})
