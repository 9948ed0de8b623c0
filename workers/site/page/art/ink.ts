/** The colours of one picture: the thing itself, its shadow side, its highlights, and one contrasting touch. */
export type Ink = { main: string; dark: string; light: string; touch: string }

/** Draws a thing on a 200 × 200 canvas, standing on y = 158; `vary` is 0, 1 or 2 and picks its decoration. */
export type Motif = (ink: Ink, vary: number) => string

export const path = (d: string, fill: string): string => `<path d="${d}" fill="${fill}"/>`
export const line = (d: string, stroke: string, width = 3): string =>
  `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`
export const disc = (x: number, y: number, r: number, fill: string): string => `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}"/>`
export const oval = (x: number, y: number, rx: number, ry: number, fill: string): string =>
  `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" fill="${fill}"/>`
export const box = (x: number, y: number, w: number, h: number, fill: string, round = 2): string =>
  `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${round}" fill="${fill}"/>`
export const turned = (degrees: number, inner: string): string => `<g transform="rotate(${degrees} 100 105)">${inner}</g>`

/** Dots, a band or a double line across a rectangle. */
export function trim(x: number, y: number, w: number, colour: string, vary: number): string {
  if (vary === 0) return box(x, y, w, 9, colour, 0)
  if (vary === 1) return box(x, y, w, 3, colour, 0) + box(x, y + 8, w, 3, colour, 0)
  const dots = Math.floor(w / 14)
  return Array.from({ length: dots }, (_, i) => disc(x + ((i + 0.5) * w) / dots, y + 5, 3, colour)).join('')
}

const named: [RegExp, string][] = [
  [/sea blue/, '#4c7f96'],
  [/racing green/, '#2f5645'],
  [/chalk|white|marble|porcelain/, '#f3efe6'],
  [/sand\b|rattan|bamboo|beech|birch/, '#d6b98a'],
  [/moss/, '#747f4d'],
  [/bark|brown|chocolate|oak|walnut|leather/, '#7a5640'],
  [/mushroom|taupe|vintage/, '#b3a08e'],
  [/\bink\b|navy/, '#2a3450'],
  [/indigo/, '#434f86'],
  [/silver|grey|gray|zinc|steel/, '#aeb6bb'],
  [/lemon|yellow/, '#e5c552'],
  [/coral|orange/, '#df7c5c'],
  [/leaf|green/, '#76955a'],
  [/oxblood|burgundy/, '#7c3230'],
  [/cream|ivory|pearl/, '#eee2c8'],
  [/charcoal|black/, '#414044'],
  [/clay|terracotta|copper/, '#bb6b4b'],
  [/fuchsia|magenta/, '#c0507f'],
  [/saffron|gold|brass/, '#d69d3c'],
  [/turquoise|teal|aqua/, '#4ba19d'],
  [/frost/, '#cbdde3'],
  [/slate/, '#65747f'],
  [/rose|pink/, '#d8969d'],
  [/\bred\b|christmas|strawberry|cherry/, '#b8483f'],
  [/blue/, '#5b7fae'],
  [/purple|lavender|lilac/, '#86709e'],
]
const anyMain = ['#bb6b4b', '#4c7f96', '#747f4d', '#d69d3c', '#7c3230', '#434f86', '#d8969d', '#65747f', '#2f5645', '#4ba19d', '#7a5640']
const touches = ['#f3ead8', '#e0a458', '#c8553d', '#2f4858', '#8ea604', '#d9798b', '#f2c14e', '#33658a']
const paleGrounds = ['#efe5d6', '#e4e8dc', '#efe0da', '#dfe7e8', '#f1e6cf', '#e6e1ea']
const deepGrounds = ['#c4a98c', '#9fac93', '#c2978a', '#8fa5ad', '#a99bb0', '#cfae6d']

const pick = (list: readonly string[], random: number): string => list[Math.floor(random * list.length) % list.length] ?? '#888'

/** @param words what the catalogue says about the colour, else everything it says; @param random three draws in [0, 1) */
export function inkFor(words: string, random: readonly [number, number, number]): { ink: Ink; ground: string } {
  const main = named.find(([word]) => word.test(words))?.[1] ?? pick(anyMain, random[0])
  const pale = lightness(main) > 0.72
  const wanted = touches.filter((colour) => Math.abs(lightness(colour) - lightness(main)) > 0.18)
  return {
    ink: { main, dark: mix(main, '#1c1713', 0.3), light: mix(main, '#fffaf0', pale ? 0.6 : 0.42), touch: pick(wanted, random[1]) },
    ground: pick(pale ? deepGrounds : paleGrounds, random[2]),
  }
}

const parts = (colour: string): number[] => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))

/** 0 is black, 1 is white. */
function lightness(colour: string): number {
  const [red = 0, green = 0, blue = 0] = parts(colour)
  return (0.3 * red + 0.59 * green + 0.11 * blue) / 255
}

export function mix(colour: string, other: string, share: number): string {
  const into = parts(other)
  return `#${parts(colour)
    .map((value, i) =>
      Math.round(value + ((into[i] ?? 0) - value) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}
