import type { RecommendedItem } from '../../../shared/schemas/recommendations.ts'
import type { Slate } from '../sdk/nightjar.ts'
import { type Picked, picture } from './card.ts'
import { button, h, modal } from './dom.ts'
import { type CartLine, readCart, send, writeCart } from './session.ts'
import { shelf } from './shelf.ts'
import { money, titleOf } from './words.ts'

/** The cart: a button with a count, and a drawer with what goes along. */
export function cartDrawer(actions: { onOpen: (picked: Picked) => void; onChange: () => void }): {
  toggle: HTMLElement
  add(item: RecommendedItem, from?: Slate): void
} {
  let lines = readCart()
  const count = h('span', { class: 'count', 'aria-hidden': 'true' })
  const toggle = h('button', { type: 'button', class: 'cart-toggle', id: 'cart' }, 'Cart', count)
  const { dialog, body } = modal('drawer', 'Your cart')
  const content = h('div', { class: 'lines' })
  const along = shelf({
    id: 'along',
    title: 'Goes with your cart',
    layout: 'row',
    asked: () => (lines.length === 0 ? null : { scenario: 'cart', items: lines.slice(0, 20).map(({ item }) => item.id), limit: 4 }),
    actions: {
      onOpen: (picked) => {
        dialog.close()
        actions.onOpen(picked)
      },
      onAdd: (item, from) => add(item, from),
    },
  })
  body.append(h('p', { class: 'eyebrow' }, 'Nightjar & Co.'), h('h2', {}, 'Your cart'), content, along.element)

  const change = (next: CartLine[]): void => {
    lines = next
    writeCart(lines)
    draw()
    if (dialog.open) void along.refresh()
  }
  const add = (item: RecommendedItem, from?: Slate): void => {
    const held = lines.some((line) => line.item.id === item.id)
    change(
      held
        ? lines.map((line) => (line.item.id === item.id ? { ...line, quantity: line.quantity + 1 } : line))
        : [...lines, { item, quantity: 1 }],
    )
    const origin = from === undefined ? {} : { recommId: from.recommId, scenario: from.scenario, position: item.position }
    void send({ type: 'add_to_cart', item: item.id, quantity: 1, ...origin }).then(actions.onChange)
  }
  const order = async (): Promise<void> => {
    const items = lines.map(({ item, quantity }) => ({
      item: item.id,
      quantity,
      ...(item.values.price !== undefined && { price: item.values.price }),
    }))
    change([])
    content.replaceChildren(h('p', { class: 'thanks' }, 'Thank you. Nothing will be sent, but the shop has learnt from it.'))
    await send({ type: 'purchase', items })
    actions.onChange()
  }
  const draw = (): void => {
    const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0)
    count.textContent = pieces > 0 ? String(pieces) : ''
    toggle.setAttribute('aria-label', `Cart, ${pieces} ${pieces === 1 ? 'item' : 'items'}`)
    const total = lines.reduce((sum, { item, quantity }) => sum + (item.values.price ?? 0) * quantity, 0)
    content.replaceChildren(
      ...(lines.length === 0
        ? [h('p', { class: 'note' }, 'There is nothing in it yet.')]
        : [
            ...lines.map((line) => row(line, () => change(lines.filter((other) => other !== line)))),
            h('p', { class: 'total' }, h('span', {}, 'Total'), h('span', {}, money(total))),
            button('Place the order', 'solid wide', () => void order()),
          ]),
    )
  }

  toggle.addEventListener('click', () => {
    draw()
    dialog.showModal()
    void along.refresh()
  })
  draw()
  return { toggle, add }
}

const row = ({ item, quantity }: CartLine, remove: () => void): HTMLElement =>
  h(
    'div',
    { class: 'line' },
    h('span', { class: 'frame' }, picture(item)),
    h(
      'span',
      { class: 'line-text' },
      h('span', { class: 'title' }, titleOf(item)),
      h('span', { class: 'note' }, `${quantity} × ${money(item.values.price) || 'on request'}`),
    ),
    button('Remove', 'link', remove),
  )
