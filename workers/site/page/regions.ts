import { h, remembered } from './dom.ts'
import { placeName } from './words.ts'

const continentOf: Record<string, string> = {
  GB: 'EU',
  IE: 'EU',
  DE: 'EU',
  FR: 'EU',
  ES: 'EU',
  NL: 'EU',
  SE: 'EU',
  US: 'NA',
  CA: 'NA',
  MX: 'NA',
  BR: 'SA',
  IN: 'AS',
  JP: 'AS',
  AU: 'OC',
  ZA: 'AF',
}

let region = remembered.read('region') ?? ''

/** '' is wherever the network says. */
export const currentRegion = (): string => region

const label = (code: string): string => {
  const name = placeName(code).replace(/^the /, '')
  return name[0]?.toUpperCase() + name.slice(1)
}

/** The switch; `onChange` is called after the region has changed. */
export function regionSwitch(onChange: () => void): HTMLElement {
  const codes = Object.keys(continentOf).sort((a, b) => label(a).localeCompare(label(b)))
  const select = h(
    'select',
    { id: 'region', 'aria-label': 'Shop as if in', on: { change: () => choose(select.value) } },
    h('option', { value: '' }, 'Where I am'),
    ...codes.map((code) => h('option', { value: code, selected: code === region }, label(code))),
  )
  const choose = (code: string): void => {
    region = code
    pretend(code)
    remembered.write('region', code)
    onChange()
  }
  return h('label', { class: 'region' }, h('span', {}, 'Shopping in'), select)
}

/**
 * Headers that let the local edge believe a request comes from the chosen country: `wrangler dev` takes `request.cf` from
 * this one. A deployed Worker ignores it and goes by the request's `region`. The blob replaces all that the network says,
 * so it also has to tell what the browser can decode.
 */
export const placeHeaders: Record<string, string> = {}

function pretend(code: string): void {
  if (code === '') delete placeHeaders['mf-cf-blob']
  else
    placeHeaders['mf-cf-blob'] = JSON.stringify({ country: code, continent: continentOf[code], clientAcceptEncoding: 'gzip, deflate, br' })
}
pretend(region)
