import { closeCart, openCart, openItem, openWhy } from './dialogs.ts'
import { byId, h } from './dom.ts'
import { type CardActions, fillShelf, nameOf, nameShelf, shelfElement } from './shelf.ts'
import { type Answer, ask, chooseConsent, chooseCountry, client, state } from './shop.ts'
import { placeName, regions } from './words.ts'

const forYou = shelfElement('for-you', 'For you', 12, 'grid')
const because = shelfElement('because', 'Because you clicked', 6, 'row')
const trending = shelfElement('trending', 'Trending', 8, 'row')
const recent = shelfElement('recent', 'Recently viewed', 4, 'row')
because.hidden = true
recent.hidden = true
byId('shelves').append(forYou, because, trending, recent)

const actions: CardActions = {
  open(item, recommId) {
    state.clicked = [item, ...state.clicked.filter(({ id }) => id !== item.id)]
    openItem(item, recommId, actions)
    void client.send({ type: 'click', item: item.id, recommId, position: item.position }).then(refresh)
  },
  add(item, recommId) {
    state.cart.push(item)
    showBag()
    announce(`${nameOf(item)} is in your bag.`)
    void client.send({ type: 'add_to_cart', item: item.id, recommId }).then(refresh)
  },
  why: openWhy,
}

/** Every shelf anew. What was just clicked or is in the bag has its own shelves and is left out of For you. */
async function refresh(): Promise<void> {
  const [last] = state.clicked
  const exclude = [...new Set([...state.clicked.slice(0, 20), ...state.cart].map(({ id }) => id))].slice(0, 200)
  const shelves = [
    ask({ scenario: 'home', limit: 12, exclude, explain: true }).then(showForYou),
    ask({ scenario: 'trending', limit: 10 }).then((answer) => {
      nameShelf(trending, `Trending in ${placeName(answer.region ?? state.country)}`)
      fillShelf(trending, answer, actions)
    }),
  ]
  if (last !== undefined) {
    shelves.push(
      ask({ scenario: 'similar', item: last.id, limit: 10, exclude, explain: true }).then((answer) => {
        nameShelf(because, `Because you clicked ${nameOf(last)}`)
        fillShelf(because, answer, actions)
      }),
    )
  }
  if (state.consent) shelves.push(ask({ scenario: 'recently-viewed', limit: 10 }).then((answer) => fillShelf(recent, answer, actions)))
  because.hidden = last === undefined
  recent.hidden = recent.hidden || !state.consent
  await Promise.all(shelves)
}

function showForYou(answer: Answer): void {
  const personal = answer.cohort !== null && answer.cohort !== undefined
  const place = placeName(answer.region ?? state.country)
  if (answer.items.length === 0) nameShelf(forYou, 'For you', 'Nothing to show right now. The shop works all the same.')
  else if (personal) nameShelf(forYou, 'For you', 'Ranked from what you clicked. Click something and watch it change.')
  else if (state.consent) nameShelf(forYou, 'For you', `What people in ${place} like. Click something and this shelf becomes yours.`)
  else nameShelf(forYou, `Popular in ${place}`, 'You said no to personal suggestions: everyone in your region sees this list.')
  fillShelf(forYou, answer, actions)
  forYou.hidden = false
  showBadge(answer)
}

function showBadge({ waited, release, rung, cohort, region }: Answer): void {
  const rows: [string, string][] = [
    ['waited', `${Math.round(waited)} ms`],
    ['rung', rung ?? 'none'],
    ['release', release?.slice(0, 8) ?? 'none'],
    ['cohort', cohort === null || cohort === undefined ? '–' : String(cohort)],
    ['region', region ?? '–'],
  ]
  byId('badge').replaceChildren(...rows.map(([name, value]) => h('span', { 'data-name': name }, h('b', {}, value), ` ${name}`)))
}

function showBag(): void {
  byId('bag').textContent = state.cart.length === 0 ? 'Bag' : `Bag (${state.cart.length})`
}

const announce = (words: string): void => {
  byId('live').textContent = words
}

function buy(): void {
  const items = state.cart.map(({ id, values }): { item: string; quantity: number; price?: number } => ({
    item: id,
    quantity: 1,
    ...(values.price !== undefined && { price: values.price }),
  }))
  state.cart = []
  showBag()
  closeCart()
  announce('Thank you. Nothing was charged.')
  void client.send({ type: 'purchase', items: items.slice(0, 100) }).then(refresh)
}

const regionSwitch = byId('region')
if (regionSwitch instanceof HTMLSelectElement) {
  regionSwitch.append(
    ...regions.map(({ country }: { country: string }) =>
      h('option', { value: country, selected: country === state.country }, placeName(country)),
    ),
  )
  regionSwitch.onchange = () => {
    chooseCountry(regionSwitch.value)
    void refresh()
  }
}

const consentSwitch = byId('consent')
if (consentSwitch instanceof HTMLInputElement) {
  consentSwitch.checked = state.consent
  consentSwitch.onchange = () => {
    chooseConsent(consentSwitch.checked)
    because.hidden = true
    recent.hidden = true
    void refresh()
  }
}

byId('bag').onclick = () => openCart(actions, buy)
void refresh()
