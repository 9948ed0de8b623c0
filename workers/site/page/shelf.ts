import { art } from './art.ts'
import { h, markup } from './dom.ts'
import type { Answer, Item } from './shop.ts'
import { price, titleOf } from './words.ts'

export type CardActions = {
  open(item: Item, recommId: string | undefined): void
  add(item: Item, recommId: string | undefined): void
  why(item: Item): void
}

export const nameOf = ({ id, values }: Item): string => titleOf(values.title, id)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

export function picture(item: Item): HTMLElement {
  const image = text(item.values.image)
  if (image !== '') return h('img', { src: image, alt: '', loading: 'lazy' })
  const drawing = h('span', { class: 'art', role: 'img', 'aria-label': nameOf(item) })
  drawing.append(markup(art(item.id, nameOf(item), text(item.values.category), text(item.values.colour))))
  return drawing
}

export function card(item: Item, recommId: string | undefined, actions: CardActions): HTMLElement {
  return h(
    'li',
    { class: 'card', 'data-id': item.id },
    h(
      'button',
      { class: 'open', type: 'button', onclick: () => actions.open(item, recommId) },
      picture(item),
      h('span', { class: 'title' }, nameOf(item)),
    ),
    h(
      'div',
      { class: 'line' },
      h('span', { class: 'price' }, price(item.values.price)),
      h(
        'button',
        { class: 'add', type: 'button', 'aria-label': `Put ${nameOf(item)} in the bag`, onclick: () => actions.add(item, recommId) },
        '+',
      ),
    ),
    h('button', { class: 'why', type: 'button', onclick: () => actions.why(item) }, 'Why this?'),
  )
}

/** Fills a shelf; cards that stay glide to their new place, new ones fade in. */
export function fillShelf(shelf: HTMLElement, answer: Answer, actions: CardActions): void {
  const list = shelf.querySelector('ul')
  if (list === null) return
  shelf.removeAttribute('aria-busy')
  shelf.hidden = answer.items.length === 0
  const before = new Map(Array.from(list.children, (child) => [child.getAttribute('data-id'), child.getBoundingClientRect()]))
  list.replaceChildren(...answer.items.map((item) => card(item, answer.recommId, actions)))
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return
  for (const child of list.children) {
    const old = before.get(child.getAttribute('data-id'))
    const now = child.getBoundingClientRect()
    const from =
      old === undefined
        ? { opacity: 0, transform: 'translateY(12px)' }
        : { transform: `translate(${old.left - now.left}px, ${old.top - now.top}px)` }
    child.animate([from, { opacity: 1, transform: 'none' }], { duration: 420, easing: 'cubic-bezier(.2,.8,.2,1)' })
  }
}

/** An empty shelf, holding its place. */
export function shelfElement(id: string, title: string, count: number, kind: 'grid' | 'row'): HTMLElement {
  return h(
    'section',
    { id, class: `shelf ${kind}`, 'aria-busy': 'true', 'aria-labelledby': `${id}-title` },
    h('header', {}, h('h2', { id: `${id}-title` }, title), h('p', { class: 'note' })),
    h(
      'ul',
      {},
      ...Array.from({ length: count }, () => h('li', { class: 'card ghost', 'aria-hidden': 'true' }, h('span', { class: 'art' }))),
    ),
  )
}

export function nameShelf(shelf: HTMLElement, title: string, note = ''): void {
  const heading = shelf.querySelector('h2')
  const line = shelf.querySelector('.note')
  if (heading !== null) heading.textContent = title
  if (line !== null) line.textContent = note
}
