import { visitorHash } from '../../shared/pseudonym.ts'
import type { MemberInput } from '../../shared/release/member-pack.ts'
import type { Dataset } from '../dataset.ts'
import { historyOf, visitorStarts } from '../learn/histories.ts'

/** How many items of an imported history the edge starts from. */
export const MEMBER_ITEMS = 20
const DAY = 86_400

/**
 * The imported histories that the edge may start a visitor from, under their pseudonyms, in ascending order. Visitors
 * the edge knows itself are left out: their object remembers more; so are those who had themselves erased there.
 */
export async function memberHistories(dataset: Dataset, idKey: string): Promise<MemberInput[]> {
  const starts = visitorStarts(dataset)
  const erased = new Set(dataset.erased)
  const members: MemberInput[] = []
  for (let visitor = 0; visitor < dataset.visitors.length; visitor++) {
    if (dataset.pseudonymous[visitor] === 1) continue
    const history = historyOf(dataset.deeds, starts[visitor], starts[visitor + 1], MEMBER_ITEMS, dataset.to)
    const pseudonym = await visitorHash(idKey, dataset.visitors[visitor])
    if (history.length === 0 || erased.has(pseudonym)) continue
    members.push({
      visitor: pseudonym,
      items: history.map(({ item }) => item),
      deeds: history.map(({ deed }) => deed),
      days: history.map(({ age }) => Math.floor(age / DAY)),
    })
  }
  return members.sort((a, b) => (a.visitor < b.visitor ? -1 : 1))
}
