import autocannon from 'autocannon'
import { doJobs } from '../processes.ts'
import { quantile } from './rows.ts'

/** One request, again and again or as one of many. */
export type LoadRequest = { method: 'GET' | 'POST'; path: string; body?: string }

export type Load = {
  url: string
  connections: number
  seconds: number
  /** Each connection sends them in turn, from a place of its own on. */
  requests: LoadRequest[]
}

export type Loaded = {
  answers: number
  seconds: number
  /** Requests that got no answer, or one that is no success. */
  errors: number
  p50: number
  p90: number
}

/** Puts load on a server. autocannon's own histogram counts whole milliseconds; answers here take less than one. */
async function putLoad({ url, connections, seconds, requests }: Load): Promise<Loaded> {
  const times: number[] = []
  let client = 0
  let first = 0
  let last = 0
  const texts = requests.map(({ method, path, body }) => ({
    method,
    path,
    ...(body !== undefined && { body, headers: { 'content-type': 'text/plain' } }),
  }))
  const options: autocannon.Options = {
    url,
    connections,
    duration: seconds,
    sampleInt: 50,
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
    })
  })
  return {
    answers: times.length,
    seconds: (last - first) / 1000,
    errors: result.errors + result.non2xx,
    p50: quantile(times, 0.5),
    p90: quantile(times, 0.9),
  }
}

doJobs(putLoad)
