import { byId, h } from './dom.ts'
import { type CardActions, fillShelf, nameOf, picture, shelfElement } from './shelf.ts'
import { ask, type Item, state } from './shop.ts'
import { price, reasonWords } from './words.ts'

function show(dialog: HTMLDialogElement, label: string, ...content: HTMLElement[]): void {
  dialog.setAttribute('aria-label', label)
  dialog.replaceChildren(
    h('button', { class: 'close', type: 'button', 'aria-label': 'Close', onclick: () => dialog.close() }, '×'),
    ...content,
  )
  if (!dialog.open) dialog.showModal()
  dialog.scrollTop = 0
}

const dialog = (id: string): HTMLDialogElement => {
  const element = byId(id)
  if (!(element instanceof HTMLDialogElement)) throw new Error(`#${id} is no dialog`)
  // A click beside the dialog lands on its backdrop, which is the dialog itself.
  element.onclick = (event) => {
    if (event.target === element) element.close()
  }
  return element
}

/** An item by itself, with what is like it and what goes with it. */
export function openItem(item: Item, recommId: string | undefined, actions: CardActions): void {
  const { description, material, colour } = item.values
  const similar = shelfElement('similar', 'Similar', 6, 'row')
  const together = shelfElement('together', 'Bought together', 6, 'row')
  const details = [material, colour].filter((value) => typeof value === 'string').join(' · ')
  show(
    dialog('item'),
    nameOf(item),
    h(
      'article',
      { class: 'item' },
      picture(item),
      h(
        'div',
        {},
        h('h2', {}, nameOf(item)),
        h('p', { class: 'price' }, price(item.values.price)),
        h('p', {}, typeof description === 'string' ? description : ''),
        h('p', { class: 'quiet' }, details),
        h('button', { class: 'primary', type: 'button', onclick: () => actions.add(item, recommId) }, 'Put in the bag'),
      ),
    ),
    similar,
    together,
  )
  void ask({ scenario: 'similar', item: item.id, limit: 8 }).then((answer) => fillShelf(similar, answer, actions))
  void ask({ scenario: 'bought-together', item: item.id, limit: 8 }).then((answer) => fillShelf(together, answer, actions))
}

/** The reasons in words; the numbers for who wants them. */
export function openWhy(item: Item): void {
  const reasons = item.reasons.length > 0 ? item.reasons.map(reasonWords) : ['It belongs to this shelf.']
  show(
    dialog('why'),
    `Why ${nameOf(item)}?`,
    h('div', { class: 'why-head' }, picture(item), h('h2', {}, `Why ${nameOf(item)}?`)),
    h('ul', { class: 'reasons' }, ...reasons.map((words) => h('li', {}, words))),
    h('p', { class: 'quiet' }, `Place ${item.position}, score ${item.score}, found through ${item.source.replace('-', ' ')}.`),
    numbers(item),
  )
}

function numbers({ explain }: Item): HTMLElement {
  if (explain === undefined) return h('p', { class: 'quiet' }, 'This shelf is a list: its order was computed at night.')
  const rows = Object.entries(explain.features).filter(([, value]) => value !== 0)
  return h(
    'details',
    {},
    h('summary', {}, 'What the ranker saw'),
    h('table', {}, ...rows.map(([name, value]) => h('tr', {}, h('th', { scope: 'row' }, name), h('td', {}, String(value))))),
  )
}

/** The bag, and what goes with what is in it. */
export function openCart(actions: CardActions, buy: () => void): void {
  const total = state.cart.reduce((sum, { values }) => sum + (values.price ?? 0), 0)
  const fitting = shelfElement('fitting', 'Goes with your bag', 6, 'row')
  const lines = state.cart.map((item) =>
    h('li', {}, picture(item), h('span', {}, nameOf(item)), h('span', { class: 'price' }, price(item.values.price))),
  )
  const full = state.cart.length > 0
  show(
    dialog('cart'),
    'Your bag',
    h('h2', {}, 'Your bag'),
    full ? h('ul', { class: 'bag' }, ...lines) : h('p', {}, 'Nothing in it yet. The + on a card puts something in.'),
    h('p', { class: 'total' }, full ? `Together ${price(total)}` : ''),
    full ? h('button', { class: 'primary', type: 'button', onclick: buy }, 'Buy (it is a demo)') : h('span'),
    fitting,
  )
  if (full)
    void ask({ scenario: 'cart', items: state.cart.slice(0, 20).map(({ id }) => id), limit: 8 }).then((answer) =>
      fillShelf(fitting, answer, actions),
    )
  else fitting.hidden = true
}

export const closeCart = (): void => dialog('cart').close()
