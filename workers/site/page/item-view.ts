import type { RecommendedItem } from '../../../shared/schemas/recommendations.ts'
import { type CardActions, type Picked, picture } from './card.ts'
import { button, h, modal } from './dom.ts'
import { knownItem } from './session.ts'
import { shelf } from './shelf.ts'
import { showWhy } from './why.ts'
import { money, textOf, titleOf } from './words.ts'

type ItemView = {
  actions: CardActions
  onClose: () => void
}
const PREFIX = '#item='

/** The page of one item. It has an address of its own, so the browser's back button closes it. */
export function itemView({ actions, onClose }: ItemView): { open(picked: Picked): void; resume(): void } {
  const { dialog, body } = modal('item', 'Item')
  let from: Picked | undefined
  const show = (item: RecommendedItem): void => {
    const { id } = item
    const origin = from?.item.id === id ? from : undefined
    const add = button('Add to cart', 'solid', () => {
      actions.onAdd(origin?.item ?? item, origin?.slate)
      add.textContent = 'In your cart'
    })
    const about = { item: id, limit: 5 }
    const together = shelf({
      id: 'together',
      title: 'Bought together',
      layout: 'row',
      asked: () => ({ scenario: 'bought-together', ...about }),
      actions,
    })
    const similar = shelf({ id: 'similar', title: 'Similar', layout: 'row', asked: () => ({ scenario: 'similar', ...about }), actions })
    const heading = h('h2', { tabindex: -1 }, titleOf(item))
    body.replaceChildren(
      h(
        'div',
        { class: 'item-head' },
        h('div', { class: 'frame' }, picture(item)),
        h(
          'div',
          { class: 'item-text' },
          h('p', { class: 'eyebrow' }, item.values.category ?? 'From the shop'),
          heading,
          h('p', { class: 'price' }, money(item.values.price)),
          h('p', { class: 'description' }, textOf(item, 'description')),
          details(item),
          h('div', { class: 'actions' }, add, origin && button('Why this?', 'link', () => showWhy(origin.item, origin.asked))),
        ),
      ),
      together.element,
      similar.element,
    )
    dialog.setAttribute('aria-label', titleOf(item))
    if (dialog.open) heading.focus()
    else dialog.showModal()
    body.scrollTop = 0
    void together.refresh()
    void similar.refresh()
  }
  const route = (): void => {
    const item = location.hash.startsWith(PREFIX) ? knownItem(decoded(location.hash.slice(PREFIX.length))) : undefined
    if (item !== undefined) show(item)
    else if (dialog.open) dialog.close()
  }
  addEventListener('hashchange', route)
  dialog.addEventListener('close', () => {
    if (location.hash.startsWith(PREFIX)) history.pushState(null, '', location.pathname + location.search)
    onClose()
  })
  return {
    /** Opens the item that the address names, once a shelf has told what it looks like. */
    resume: route,
    open(picked) {
      from = picked
      const address = PREFIX + encodeURIComponent(picked.item.id)
      if (location.hash === address) route()
      else location.hash = address
    },
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whatever else the catalogue says in one short text. */
function details(item: RecommendedItem): HTMLElement {
  const hidden = new Set(['title', 'category', 'price', 'description', 'url', 'image'])
  const rows = Object.entries(item.values).filter(([name, value]) => !hidden.has(name) && typeof value === 'string' && value.length < 60)
  return h('dl', {}, ...rows.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, String(value))]))
}
