import type { RecommendedItem } from '../../../shared/schemas/recommendations.ts'
import type { Slate } from '../sdk/nightjar.ts'
import { badge } from './badge.ts'
import type { CardActions, Picked } from './card.ts'
import { cartDrawer } from './cart.ts'
import { consentControls } from './consent.ts'
import { place } from './dom.ts'
import { itemView } from './item-view.ts'
import { regionSwitch } from './regions.ts'
import { currentConsent, open, opened, send } from './session.ts'
import { shelf } from './shelf.ts'
import { placeName, titleOf } from './words.ts'

// An item opens, or goes into the cart, from any shelf in the same way.
const actions: CardActions = { onOpen: view, onAdd: (item, from) => cart.add(item, from) }

const forYou = shelf({
  id: 'for-you',
  title: 'For you',
  layout: 'grid',
  asked: () => ({ scenario: 'home', limit: 10 }),
  actions,
  note: whyThisOrder,
  empty: () => 'Nothing to show yet. Once a first night has run, the shelves fill.',
  marks: true,
})
const because = shelf({
  id: 'because',
  title: 'Because of what you looked at',
  heading: () => `Because you looked at ${opened[0] === undefined ? 'this' : titleOf(opened[0])}`,
  layout: 'row',
  asked: () => (opened[0] === undefined ? null : { scenario: 'similar', item: opened[0].id, limit: 6 }),
  actions,
})
const trending = shelf({
  id: 'trending',
  title: 'Trending',
  heading: ({ region }) => `Trending in ${placeName(region ?? '*')}`,
  layout: 'row',
  asked: () => ({ scenario: 'trending', limit: 6 }),
  actions,
})
const recent = shelf({
  id: 'recent',
  title: 'Recently viewed',
  layout: 'row',
  asked: () => ({ scenario: 'recently-viewed', limit: 6 }),
  actions,
  empty: () =>
    currentConsent() === 'granted'
      ? 'What you look at will be kept here.'
      : 'Nothing is kept here, because you have not asked us to remember. The switch at the top changes that.',
})

const cart = cartDrawer({ onOpen: view, onChange: () => void refreshPersonal() })
const detail = itemView({ actions, onClose: () => void refreshPersonal() })
const { toggle, question } = consentControls(() => void refreshAll())

place('controls').append(
  regionSwitch(() => void refreshAll()),
  toggle,
  cart.toggle,
)
place('question-place').append(question)
place('shelves').append(forYou.element, because.element, trending.element, recent.element)
document.body.append(badge())
void refreshAll().then(detail.resume)

/** The click is on record before the item opens anything else, so that what is asked next already knows of it. */
function view(picked: Picked): void {
  const { item, slate } = picked
  open(item)
  detail.open(picked)
  const { recommId, scenario } = slate
  void send([
    { type: 'click', item: item.id, recommId, scenario, position: item.position },
    { type: 'item_view', item: item.id },
  ])
}

async function refreshPersonal(): Promise<void> {
  // Waits for events on their way: their answer brings the token that the next question takes along.
  await send([])
  await Promise.all([forYou.refresh(), because.refresh(), recent.refresh().then(learnLast)])
}

async function refreshAll(): Promise<void> {
  await Promise.all([refreshPersonal(), trending.refresh()])
}

/** After a reload, what the visitor saw last is known from their own history, where they allowed one. */
async function learnLast(slate: Slate | null): Promise<void> {
  const last: RecommendedItem | undefined = slate?.items[0]
  if (opened.length > 0 || last === undefined) return
  open(last)
  await because.refresh()
}

/** Reasons that only a history can give. */
const FROM_HISTORY = new Set(['similar-to', 'bought-with', 'again', 'viewed', 'chosen'])

function whyThisOrder({ cohort, region, items }: Slate): string {
  const where = placeName(region ?? '*')
  if (currentConsent() !== 'granted') return `You are not remembered, so this is what ${where} likes best. Nothing about you is kept.`
  if (items.some(({ reasons }) => reasons.some(({ code }) => FROM_HISTORY.has(code))))
    return 'Put in order a moment ago, from what you looked at.'
  const liked = typeof cohort === 'number' ? `${where} likes best, and visitors who come as you do` : `${where} likes best`
  return `This is what ${liked}. Look at something, and the shelf turns to you.`
}
