import * as v from 'valibot'
import { emptyOverlay, type Overlay } from '../../shared/overlay.ts'
import type { ChannelEntry } from '../../shared/release/manifest.ts'
import { isOpen, valuesOf } from '../../shared/schemas/items.ts'
import { ListedItem } from '../../shared/schemas/listed-item.ts'
import type { Filter, RecommendationAnswer, RecommendationRequest, Rung } from '../../shared/schemas/recommendations.ts'
import { isolate } from '../releases/isolate.ts'
import { newRecommId } from './answer.ts'

type Asked = Pick<RecommendationRequest, 'offset' | 'limit' | 'exclude'> & {
  item?: string | undefined
  items?: string[] | undefined
  filter?: Filter
}

/**
 * The rungs that need no pack, as JSON: the list that the channel carries, else the one deployed with the Worker, else an empty
 * slate. Waits for nothing of KV. @param now Unix milliseconds
 */
export async function withoutRelease(env: Env, region: string, asked: Asked, now: number): Promise<string> {
  const { release, rung, items } = (await carriedList()) ?? { release: null, rung: 'bundled' as const, items: await bundledList(env) }
  const shown = showable(items, isolate.overlay?.value ?? emptyOverlay, asked, now).slice(asked.offset, asked.offset + asked.limit)
  const answer: RecommendationAnswer = {
    recommId: newRecommId(),
    items: shown.map(({ id, values }, i) => ({
      id,
      score: 0,
      position: asked.offset + i + 1,
      source: 'region-list',
      reasons: [{ code: 'popular-in', region: '*' }],
      values,
    })),
    release,
    rung,
    cohort: null,
    region,
  }
  return JSON.stringify(answer)
}

/** The tag of a list that nobody should go on showing. */
export const neverTheSame = (): string => `"${newRecommId()}"`

async function carriedList(): Promise<{ release: string; rung: Rung; items: ListedItem[] } | null> {
  const channel = isolate.channel?.value
  if (channel === undefined) return null
  const { stable } = channel
  if (stable !== null && hasList(stable)) return { release: stable.release, rung: 'global-list', items: stable.manifest.firstList ?? [] }
  const previous = await channel.previous()
  if (previous === null || !hasList(previous)) return null
  return { release: previous.release, rung: 'previous-release', items: previous.manifest.firstList ?? [] }
}

const hasList = ({ manifest }: ChannelEntry): boolean => (manifest.firstList ?? []).length > 0

const Bundled = v.object({ items: v.array(ListedItem) })

async function bundledList(env: Env): Promise<ListedItem[]> {
  try {
    const answer = await env.ASSETS.fetch('https://assets.local/bundled.json')
    const parsed = v.safeParse(Bundled, await answer.json())
    return parsed.success ? parsed.output.items : []
  } catch {
    return []
  }
}

/** Those that may be shown, as far as is known, with what was said of them since. */
function showable(items: readonly ListedItem[], overlay: Overlay, { exclude, item, items: anchors = [], filter = {} }: Asked, now: number) {
  const inStock = filter.available !== false
  const barred = new Set([...overlay.hidden, ...(inStock ? overlay.unavailable : []), ...(exclude ?? []), ...anchors, item])
  const told = new Map(overlay.items.map((change) => [change.item, change]))
  return items.flatMap(({ id, values }) => {
    const change = told.get(id)
    if (barred.has(id) || change?.removed) return []
    if (change !== undefined && (!isOpen(change.fields, now) || (inStock && change.fields.available === false))) return []
    const row = { id, values: { ...values, ...(change && valuesOf(change.fields)) } }
    return fits(row.values, filter) ? [row] : []
  })
}

function fits(
  { category, price }: RecommendationAnswer['items'][number]['values'],
  { category: wanted, minPrice, maxPrice }: Filter,
): boolean {
  if (wanted !== undefined && (category === undefined || ![wanted].flat().includes(category))) return false
  if (minPrice === undefined && maxPrice === undefined) return true
  return price !== undefined && price >= (minPrice ?? 0) && price <= (maxPrice ?? Number.POSITIVE_INFINITY)
}
