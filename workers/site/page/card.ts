import type { RecommendedItem } from '../../../shared/schemas/recommendations.ts'
import type { Asked, Slate } from '../sdk/nightjar.ts'
import { pictureOf } from './art/art.ts'
import { button, h } from './dom.ts'
import { showWhy } from './why.ts'
import { money, textOf, titleOf } from './words.ts'

/** An item on a shelf, and where it stood: what its click event tells. */
export type Picked = { item: RecommendedItem; slate: Slate; asked: Asked }
export type CardActions = { onOpen: (picked: Picked) => void; onAdd: (item: RecommendedItem, from?: Slate) => void }
export type Card = { element: HTMLElement; update(picked: Picked): void; mark(text: string): void }

export const picture = (item: RecommendedItem): HTMLImageElement =>
  h('img', {
    src: pictureOf({ id: item.id, title: titleOf(item), category: item.values.category ?? '', colour: textOf(item, 'colour') }),
    alt: [titleOf(item), item.values.category && `(${item.values.category})`].filter(Boolean).join(' '),
    width: 400,
    height: 400,
    decoding: 'async',
  })

/** A card keeps its element from answer to answer, so that it can be seen moving. */
export function card(first: Picked, { onOpen, onAdd }: CardActions): Card {
  let picked = first
  const { item } = first
  const mark = h('span', { class: 'mark', 'aria-hidden': 'true' })
  const element = h(
    'article',
    { class: 'card', 'data-id': item.id },
    h(
      'button',
      { type: 'button', class: 'open', on: { click: () => onOpen(picked) } },
      h('span', { class: 'frame' }, picture(item), mark),
      h('span', { class: 'title' }, titleOf(item)),
    ),
    h(
      'div',
      { class: 'facts' },
      h('span', { class: 'category' }, item.values.category ?? ''),
      h('span', { class: 'price' }, money(item.values.price)),
    ),
    h(
      'div',
      { class: 'facts' },
      button('Why this?', 'link', () => showWhy(picked.item, picked.asked)),
      h(
        'button',
        {
          type: 'button',
          class: 'link add',
          'aria-label': `Add ${titleOf(item)} to the cart`,
          on: { click: () => onAdd(picked.item, picked.slate) },
        },
        'Add',
      ),
    ),
  )
  return {
    element,
    update: (next) => {
      picked = next
    },
    mark(text) {
      mark.textContent = text
      mark.classList.toggle('on', text !== '')
    },
  }
}
