import type { Rung } from '../../shared/schemas/recommendations.ts'
import type { Background } from '../background.ts'
import { toBase64Url } from '../identity/base64url.ts'
import type { LoadedRelease } from '../releases/loaded-release.ts'
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
  let items = ''
  for (let i = 0; i < shown.length; i++) {
    const { item, score, source, reasons, explain } = shown[i]
    const { idJson, json } = release.display(item)
    let told = ''
    for (const reason of reasons) told += `${told === '' ? '' : ','}${reasonJson(release, reason)}`
    const explained = explain === undefined ? '' : `,"explain":${JSON.stringify(explain)}`
    items += `${i === 0 ? '' : ','}{"id":${idJson},"score":${score},"position":${offset + i + 1},"source":"${source}","reasons":[${told}]${explained},"values":${json}}`
  }
  const head = JSON.stringify({ recommId, release: release.release, rung, cohort, region })
  return `${head.slice(0, -1)},"items":[${items}]}`
}

/** The reason in the visitor's terms: the item they know instead of its index. */
function reasonJson(release: LoadedRelease, reason: ShownReason): string {
  if ('cohort' in reason) return `{"code":"${reason.code}","cohort":${reason.cohort}}`
  if ('region' in reason) return `{"code":"${reason.code}","region":${JSON.stringify(reason.region)}}`
  if (!('of' in reason)) return `{"code":"${reason.code}"}`
  const { idJson, titleJson } = release.display(reason.of)
  return `{"code":"${reason.code}","item":${idJson}${titleJson === undefined ? '' : `,"title":${titleJson}`}}`
}
