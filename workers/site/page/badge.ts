import type { Slate } from '../sdk/nightjar.ts'
import { h } from './dom.ts'
import { onAnswer } from './session.ts'

const names: Record<string, string> = {
  home: 'For you',
  trending: 'Trending',
  similar: 'Similar',
  'bought-together': 'Bought together',
  cart: 'Goes with your cart',
  'recently-viewed': 'Recently viewed',
}

/** How the page's answers came to be: the wait as the browser saw it, the rung, the cohort, the region, the release. */
export function badge(): HTMLElement {
  const answers = new Map<string, Slate>()
  const line = h('span', { class: 'badge-line' }, 'waiting for the edge')
  const rows = h('tbody', {})
  onAnswer((scenario, slate) => {
    answers.set(scenario, slate)
    const home = answers.get('home')
    if (home !== undefined) line.replaceChildren(...facts(home))
    const order = Object.keys(names)
    const sorted = [...answers].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
    rows.replaceChildren(...sorted.map(([name, answer]) => row(name, answer)))
  })
  return h(
    'details',
    { class: 'badge', id: 'badge' },
    h('summary', {}, line),
    h('table', {}, h('caption', {}, 'What the browser waited, and which rung answered'), rows),
  )
}

function facts({ waited, release, rung, cohort, region }: Slate): HTMLElement[] {
  if (rung === undefined) return [h('b', {}, 'no answer'), h('span', {}, `after ${Math.round(waited)} ms`)]
  return [
    h('b', { 'data-fact': 'waited' }, `${milliseconds(waited)} ms`),
    h('span', { 'data-fact': 'rung' }, rung),
    h('span', { 'data-fact': 'cohort' }, typeof cohort === 'number' ? `cohort ${cohort}` : 'no cohort'),
    h('span', { 'data-fact': 'region' }, region ?? '–'),
    h('span', { 'data-fact': 'release' }, `release ${release?.slice(0, 8) ?? 'none'}`),
  ]
}

const row = (scenario: string, { waited, rung, region }: Slate): HTMLElement =>
  h(
    'tr',
    {},
    h('th', { scope: 'row' }, names[scenario] ?? scenario),
    h('td', {}, `${milliseconds(waited)} ms`),
    h('td', {}, rung ?? 'no answer'),
    h('td', {}, region ?? ''),
  )

const milliseconds = (value: number): string => (value < 10 ? value.toFixed(1) : String(Math.round(value)))
