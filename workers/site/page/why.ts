import type { RecommendedItem } from '../../../shared/schemas/recommendations.ts'
import type { Asked } from '../sdk/nightjar.ts'
import { button, h, modal } from './dom.ts'
import { ask, knownItem } from './session.ts'
import { reasonInWords, titleOf } from './words.ts'

let parts: ReturnType<typeof modal> | undefined

/** Says why an item was recommended: in words at once, in numbers on demand. */
export function showWhy(item: RecommendedItem, asked: Asked): void {
  parts ??= modal('why', 'Why this?')
  const { dialog, body } = parts
  const words = item.reasons.flatMap((reason) => reasonInWords(reason, (id) => knownItem(id)?.values.title) ?? [])
  const numbers = h('div', { class: 'numbers' })
  const more = button('Show the numbers', 'link', () => void showNumbers(item, asked, numbers, more))
  body.replaceChildren(
    h('p', { class: 'eyebrow' }, 'Why this?'),
    h('h2', {}, titleOf(item)),
    h('ul', { class: 'reasons' }, ...(words.length > 0 ? words : ['It is on the list of your region.']).map((text) => h('li', {}, text))),
    more,
    numbers,
  )
  dialog.showModal()
}

async function showNumbers(item: RecommendedItem, asked: Asked, into: HTMLElement, more: HTMLButtonElement): Promise<void> {
  more.disabled = true
  const slate = await ask({ ...asked, explain: true })
  more.remove()
  const found = slate.items.find(({ id }) => id === item.id)
  const rows: [string, string][] =
    found === undefined
      ? []
      : [
          ['score', found.score.toFixed(4)],
          ['position', String(found.position)],
        ]
  for (const [name, value] of Object.entries(found?.explain?.sources ?? {})) rows.push([`source: ${name}`, value.toFixed(3)])
  for (const [name, value] of Object.entries(found?.explain?.features ?? {})) rows.push([name, Number(value.toFixed(3)).toString()])
  into.replaceChildren(
    rows.length === 0
      ? h('p', { class: 'note' }, 'The list has moved on: this item is no longer in the answer.')
      : h(
          'table',
          {},
          h('caption', {}, `What the ranker saw (${slate.rung ?? 'no answer'})`),
          h('tbody', {}, ...rows.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, value)))),
        ),
  )
}
