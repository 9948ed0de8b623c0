import { type Rung, type Source, sources } from '../../shared/schemas/recommendations.ts'
import type { Background } from '../background.ts'
import { toBase64Url } from '../identity/base64url.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
import { decimal } from './decimal.ts'
import type { Shown, ShownReason } from './shown.ts'

export type Slate = { shown: Shown[]; rung: Rung; cohort: number | null; region: string }

/** Opaque; impressions and clicks send it back so that they can be joined to what was shown. */
export const newRecommId = (): string => toBase64Url(crypto.getRandomValues(new Uint8Array(16)))

/** The answer as JSON text: values stand in the release as JSON already and are put in as they are. */
export async function slateJson(
  ctx: Background,
  release: LoadedRelease,
  { shown, rung, cohort, region }: Slate,
  offset: number,
  recommId = newRecommId(),
): Promise<string> {
  const named: number[] = []
  for (const { item, reasons } of shown) {
    named.push(item)
    for (const reason of reasons) if ('of' in reason) named.push(reason.of)
  }
  await release.loadDisplay(ctx, named)
  const told = new Map<ShownReason, string>()
  const about = JSON.stringify({ recommId, release: release.release, rung, cohort, region })
  let text = `${about.slice(0, -1)},"items":[`
  for (let i = 0; i < shown.length; i++) {
    const { item, score, source, reasons, explain } = shown[i]
    const { head, tail } = release.display(item)
    if (i > 0) text += ','
    text += `${head}${decimal(score)},"position":${offset + i + 1}${REASONED[source]}`
    for (let k = 0; k < reasons.length; k++) {
      if (k > 0) text += ','
      text += reasonJson(release, reasons[k], told)
    }
    text += explain === undefined ? ']' : `],"explain":${JSON.stringify(explain)}`
    text += tail
  }
  return `${text}]}`
}

const REASONED = Object.fromEntries(sources.map((source) => [source, `,"source":"${source}","reasons":[`])) as Record<Source, string>

/** The reason in the visitor's terms: the item they know instead of its index. @param told of reasons that several items share */
function reasonJson(release: LoadedRelease, reason: ShownReason, told: Map<ShownReason, string>): string {
  if ('of' in reason) {
    const { similarTo, boughtWith } = release.display(reason.of)
    return reason.code === 'similar-to' ? similarTo : boughtWith
  }
  let json = told.get(reason)
  if (json === undefined) {
    json = JSON.stringify(reason)
    told.set(reason, json)
  }
  return json
}
