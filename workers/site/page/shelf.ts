import type { Asked, Slate } from '../sdk/nightjar.ts'
import { type Card, type CardActions, card } from './card.ts'
import { button, h } from './dom.ts'
import { ask, shown } from './session.ts'

export type ShelfOptions = {
  id: string
  title: string
  layout: 'grid' | 'row'
  /** What to ask for now; null while the shelf has nothing to be about, and is then hidden. */
  asked: () => Asked | null
  actions: CardActions
  heading?: (slate: Slate) => string
  note?: (slate: Slate) => string
  /** Said instead of items; without it an empty shelf is hidden. */
  empty?: () => string
  /** Say on the cards how far they have moved. */
  marks?: boolean
}
export type Shelf = { element: HTMLElement; refresh(): Promise<Slate | null> }

const calm = matchMedia('(prefers-reduced-motion: reduce)')
const SPRING = 'cubic-bezier(.2, .8, .2, 1)'

/** A titled run of cards that asks for its own items, moves them when the order changes, and reports what came into view. */
export function shelf(options: ShelfOptions): Shelf {
  const title = h('h2', { id: `${options.id}-title` }, options.title)
  const note = h('p', { class: 'note' })
  const list = h('div', { class: `items ${options.layout}`, role: 'list' })
  const element = h(
    'section',
    { class: 'shelf', id: options.id, 'aria-labelledby': `${options.id}-title` },
    h('header', {}, title, note),
    list,
  )
  let cards = new Map<string, Card>()
  let newest = 0
  let unseen: Slate | null = null

  const seen = new IntersectionObserver(
    (entries) => {
      if (unseen === null || !entries.some((entry) => entry.isIntersecting)) return
      shown(unseen)
      unseen = null
    },
    { threshold: 0.4 },
  )
  seen.observe(list)

  const say = (text: string, retry: boolean): void => {
    cards = new Map()
    list.replaceChildren(
      h('div', { class: 'empty', role: 'listitem' }, h('p', {}, text), retry && button('Try again', 'plain', () => void refresh())),
    )
  }

  const draw = (slate: Slate, asked: Asked): void => {
    const before = new Map(Array.from(cards, ([id, { element: node }], position) => [id, { box: node.getBoundingClientRect(), position }]))
    const next = new Map<string, Card>()
    for (const item of slate.items) {
      const picked = { item, slate, asked }
      const entry = cards.get(item.id) ?? card(picked, options.actions)
      entry.update(picked)
      entry.element.setAttribute('role', 'listitem')
      next.set(item.id, entry)
    }
    cards = next
    const focused = list.contains(document.activeElement) ? document.activeElement : null
    list.replaceChildren(...Array.from(next.values(), (entry) => entry.element))
    // Moving an element takes the focus from it: who goes by keyboard must not be thrown back to the top.
    if (focused instanceof HTMLElement) (focused.isConnected ? focused : list.querySelector('button'))?.focus({ preventScroll: true })
    const moved = Array.from(next.keys()).some((id, position) => before.get(id)?.position !== position)
    if (before.size > 0 && moved) settle(next, before, options.marks === true)
  }

  const refresh = async (): Promise<Slate | null> => {
    const turn = ++newest
    const asked = options.asked()
    element.hidden = asked === null
    if (asked === null) return null
    if (cards.size === 0) list.replaceChildren(...skeletons(asked.limit ?? 6))
    list.setAttribute('aria-busy', 'true')
    const slate = await ask(asked)
    // A newer question was asked meanwhile: its answer counts.
    if (turn !== newest) return null
    list.removeAttribute('aria-busy')
    title.textContent = options.heading?.(slate) ?? options.title
    note.textContent = slate.items.length > 0 ? (options.note?.(slate) ?? '') : ''
    unseen = slate
    const failed = slate.rung === undefined
    if (slate.items.length > 0) draw(slate, asked)
    else if (failed) say('The shop cannot reach its recommendations just now.', true)
    else if (options.empty !== undefined) say(options.empty(), false)
    else element.hidden = true
    seen.unobserve(list)
    seen.observe(list)
    return slate
  }

  return { element, refresh }
}

const skeletons = (count: number): HTMLElement[] =>
  Array.from({ length: count }, () =>
    h(
      'div',
      { class: 'card skeleton', 'aria-hidden': 'true' },
      h('span', { class: 'frame' }),
      h('span', { class: 'bar' }),
      h('span', { class: 'bar short' }),
    ),
  )

/** Lets every card start where it was and glide to where it is; newcomers fade in. */
function settle(cards: ReadonlyMap<string, Card>, before: ReadonlyMap<string, { box: DOMRect; position: number }>, marks: boolean): void {
  let position = 0
  for (const [id, entry] of cards) {
    const old = before.get(id)
    const up = old === undefined ? 0 : old.position - position
    position++
    if (marks) entry.mark(old === undefined ? 'New here' : up > 0 ? `Up ${up}` : '')
    if (calm.matches) continue
    if (old === undefined) {
      entry.element.animate(
        [
          { opacity: 0, transform: 'scale(.94)' },
          { opacity: 1, transform: 'none' },
        ],
        { duration: 450, easing: SPRING },
      )
      continue
    }
    const box = entry.element.getBoundingClientRect()
    const [x, y] = [old.box.left - box.left, old.box.top - box.top]
    if (x !== 0 || y !== 0)
      entry.element.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], { duration: 650, easing: SPRING })
  }
}
