/** One picture an item: drawn from its words, coloured by its colour, the same every time. */

type Ink = { base: string; shade: string; light: string; line: string }
type Draw = (ink: Ink) => string

const hues: Record<string, number> = {
  blue: 212,
  sea: 200,
  ink: 232,
  indigo: 248,
  silver: 220,
  slate: 212,
  frost: 196,
  turquoise: 178,
  green: 140,
  moss: 92,
  leaf: 118,
  racing: 150,
  lemon: 48,
  saffron: 40,
  sand: 38,
  gold: 44,
  cream: 42,
  bark: 24,
  clay: 18,
  coral: 12,
  oxblood: 356,
  red: 2,
  fuchsia: 322,
  rose: 344,
  pink: 338,
  mushroom: 28,
  chalk: 50,
  white: 44,
  charcoal: 240,
  black: 240,
  ivory: 44,
  purple: 276,
  orange: 22,
  brown: 22,
}
const quiet = new Set(['silver', 'slate', 'charcoal', 'chalk', 'white', 'mushroom', 'cream', 'sand', 'black', 'ivory'])

const r = (x: number, y: number, w: number, h: number, fill: string, rx = 4, more = ''): string =>
  `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${rx}" fill="${fill}" ${more}/>`
const c = (x: number, y: number, radius: number, fill: string, more = ''): string =>
  `<circle cx="${x}" cy="${y}" r="${radius}" fill="${fill}" ${more}/>`
const e = (x: number, y: number, rx: number, ry: number, fill: string): string =>
  `<ellipse cx="${x}" cy="${y}" rx="${rx}" ry="${ry}" fill="${fill}"/>`
const p = (d: string, fill: string, more = ''): string => `<path d="${d}" fill="${fill}" ${more}/>`
const l = (d: string, stroke: string, width = 4): string =>
  `<path d="${d}" fill="none" stroke="${stroke}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`

const leafPair = (x: number, y: number, s: number, fill: string): string =>
  p(`M${x} ${y}c${-s} ${-s * 0.2} ${-s * 1.3} ${-s} ${-s * 1.2} ${-s * 1.5}c${s} 0 ${s * 1.4} ${s * 0.7} ${s * 1.2} ${s * 1.5}z`, fill) +
  p(`M${x} ${y}c${s} ${-s * 0.2} ${s * 1.3} ${-s} ${s * 1.2} ${-s * 1.5}c${-s} 0 ${-s * 1.4} ${s * 0.7} ${-s * 1.2} ${s * 1.5}z`, fill)

const drawings: [RegExp, Draw][] = [
  [
    /teapot|kettle/,
    (k) =>
      l('M66 96q-22-2-24-26', k.shade, 9) +
      l('M134 84q26-4 22 20q-4 18-24 18', k.shade, 8) +
      p('M62 92q0-26 38-26t38 26q4 46-38 46t-38-46z', k.base) +
      e(100, 68, 26, 7, k.light) +
      c(100, 58, 6, k.shade),
  ],
  [
    /jug|pitcher/,
    (k) =>
      l('M126 80q30 4 24 32t-30 16', k.shade, 8) +
      p('M68 58l14 10h40q10 30 8 52q-2 24-30 24t-32-24q-2-30 0-62z', k.base) +
      p('M82 68h40l2 12h-44z', k.light),
  ],
  [
    /espresso|mug|cup|saucer|tea(?!m| towel)/,
    (k) =>
      l('M132 84q28-2 24 22q-4 18-28 16', k.shade, 9) +
      p('M64 70h70v34q0 36-35 36t-35-36z', k.base) +
      e(99, 70, 35, 9, k.light) +
      l('M86 46q-6-8 0-16M106 48q-6-8 0-18', k.shade, 4) +
      e(99, 150, 52, 6, k.shade),
  ],
  [
    /bowl|colander|baking|cake/,
    (k) =>
      p('M44 84h112q0 56-56 56t-56-56z', k.base) + e(100, 84, 56, 13, k.light) + r(82, 138, 36, 8, k.shade, 4) + e(100, 84, 40, 8, k.shade),
  ],
  [
    /plate|platter|dish|tray/,
    (k) => c(100, 102, 54, k.base) + c(100, 102, 38, k.light) + c(100, 102, 30, k.base, 'opacity=".35"') + leafPair(100, 112, 12, k.shade),
  ],
  [
    /vase/,
    (k) =>
      l('M100 70q-4-30-20-40M100 70q2-34 22-44M100 70v-34', '#5d7355', 4) +
      c(78, 28, 10, k.light) +
      c(124, 26, 11, k.base) +
      c(100, 32, 9, k.shade) +
      p('M84 70h32q-4 18 12 36t-6 40h-44q-22-22-6-40t12-36z', k.base) +
      p('M84 70h14q-2 20-12 38t-2 38h-6q-22-22-6-40t12-36z', k.light, 'opacity=".5"'),
  ],
  [
    /pendant|lampshade/,
    (k) =>
      l('M100 20v36', k.line, 3) +
      p('M58 112q4-56 42-56t42 56z', k.base) +
      e(100, 112, 42, 8, k.light) +
      p('M74 118l-18 40h88l-18-40z', '#ffe9a8', 'opacity=".45"'),
  ],
  [
    /lantern/,
    (k) =>
      l('M82 48q18-24 36 0', k.line, 4) +
      r(70, 48, 60, 14, k.shade, 5) +
      r(74, 62, 52, 72, k.base, 4) +
      r(82, 70, 36, 56, '#fff1c4', 3) +
      p('M100 84q12 14 0 30q-12-16 0-30z', '#f0a63a') +
      r(66, 134, 68, 12, k.shade, 5),
  ],
  [
    /string lights|fairy|lights/,
    (k) =>
      l('M24 62q38 46 76 8q38-38 76 6', k.line, 3) +
      [
        [44, 80],
        [68, 88],
        [94, 78],
        [118, 60],
        [146, 58],
        [166, 74],
      ]
        .map(([x, y]) => c(x, y + 10, 9, k.light) + c(x, y + 10, 16, '#ffe08a', 'opacity=".3"') + r(x - 3, y - 2, 6, 6, k.shade, 1))
        .join(''),
  ],
  [
    /lamp|light/,
    (k) =>
      p('M72 38h56l18 48h-92z', k.base) +
      p('M72 38h26l-8 48h-36z', k.light, 'opacity=".5"') +
      r(96, 86, 8, 50, k.shade, 2) +
      e(100, 142, 34, 8, k.shade) +
      p('M60 92l-14 30h108l-14-30z', '#ffe9a8', 'opacity=".35"'),
  ],
  [
    /candle/,
    (k) =>
      r(76, 78, 48, 66, k.base, 6) +
      r(76, 78, 18, 66, k.light, 6, 'opacity=".5"') +
      l('M100 78v-10', k.line, 3) +
      p('M100 36q16 18 0 32q-16-14 0-32z', '#f2b044') +
      e(100, 148, 42, 6, k.shade),
  ],
  [
    /cushion|pillow/,
    (k) =>
      p('M50 58q50-14 100 0q14 42 0 88q-50 14-100 0q-14-46 0-88z', k.base) +
      l('M62 74q38-8 76 0M62 92q38-8 76 0M62 110q38-8 76 0M62 128q38-8 76 0', k.light, 4),
  ],
  [
    /rug|runner|mat\b/,
    (k) =>
      p('M40 66h120v74h-120z', k.base) +
      p('M52 78h96v50h-96z', k.light, 'opacity=".55"') +
      p('M100 84l22 19l-22 19l-22-19z', k.shade) +
      l(
        'M40 66v-8M56 66v-8M72 66v-8M88 66v-8M104 66v-8M120 66v-8M136 66v-8M152 66v-8M40 148v-8M56 148v-8M72 148v-8M88 148v-8M104 148v-8M120 148v-8M136 148v-8M152 148v-8',
        k.shade,
        3,
      ),
  ],
  [
    /throw|blanket|towel|apron|napkin|cloth/,
    (k) =>
      r(58, 44, 84, 104, k.base, 6) +
      r(58, 44, 84, 26, k.light, 6) +
      l('M58 88h84M58 100h84M58 124h84', k.shade, 4) +
      l('M64 148v10M78 148v10M92 148v10M106 148v10M120 148v10M134 148v10', k.base, 3),
  ],
  [
    /card|letter|envelope|stationery/,
    (k) =>
      r(44, 66, 112, 76, k.base, 5) +
      p('M44 70l56 42l56-42v-4h-112z', k.light) +
      l('M44 70l56 42l56-42', k.shade, 3) +
      c(100, 108, 9, '#b5483a'),
  ],
  [
    /pen\b|pencil|crayon|brush|whisk|trowel|bookmark/,
    (k) => p('M130 34l20 20l-76 76l-28 8l8-28z', k.base) + p('M130 34l20 20l-12 12l-20-20z', k.shade) + p('M54 110l20 20l-28 8z', k.light),
  ],
  [
    /calendar|planner|notebook|book|journal|novel|atlas|guide|sketchbook|map\b/,
    (k) =>
      r(60, 42, 84, 112, k.shade, 5) +
      r(56, 38, 84, 112, k.base, 5) +
      r(56, 38, 14, 112, k.light, 5, 'opacity=".6"') +
      r(82, 60, 44, 24, k.light, 3) +
      l('M88 72h32', k.shade, 3) +
      leafPair(104, 128, 12, k.light),
  ],
  [
    /watering/,
    (k) =>
      l('M64 104l-34-30l10-8', k.shade, 8) +
      l('M92 66q44-20 48 34', k.shade, 8) +
      p('M64 76h66v58q-33 12-66 0z', k.base) +
      e(97, 76, 33, 8, k.light),
  ],
  [
    /bird|feeder|nest|owl|hen\b|duck/,
    (k) =>
      p('M52 110q4-40 44-42q20-24 42-2l18 8l-16 8q0 46-46 50q-36 2-58 20q2-24 16-42z', k.base) +
      p('M76 108q26-18 44 6q-22 20-44-6z', k.shade) +
      c(130, 76, 4, k.line) +
      l('M96 132l-4 18M110 130l2 18', k.line, 3),
  ],
  [
    /plant|pot\b|planter|seed|garden(?! chair)|herb|flower/,
    (k) =>
      leafPair(100, 92, 22, '#6f8a5f') +
      leafPair(100, 74, 15, '#88a376') +
      l('M100 98v-36', '#5d7355', 3) +
      p('M66 92h68l-9 52h-50z', k.base) +
      r(60, 88, 80, 14, k.light, 4),
  ],
  [
    /chair|stool/,
    (k) =>
      r(66, 40, 12, 108, k.shade, 4) +
      r(66, 46, 60, 12, k.base, 4) +
      r(66, 68, 60, 10, k.base, 4) +
      r(62, 96, 78, 14, k.light, 5) +
      r(126, 104, 10, 46, k.shade, 4) +
      r(118, 40, 10, 60, k.shade, 4),
  ],
  [
    /chime|bell/,
    (k) =>
      l('M100 26v18M66 62v20M88 62v34M112 62v26M134 62v16', k.line, 3) +
      r(56, 44, 88, 18, k.base, 8) +
      r(61, 80, 10, 50, k.light, 5) +
      r(83, 94, 10, 56, k.shade, 5) +
      r(107, 86, 10, 62, k.light, 5) +
      r(129, 76, 10, 48, k.shade, 5),
  ],
  [
    /board|tile/,
    (k) =>
      r(60, 62, 80, 92, k.base, 12) +
      r(90, 34, 20, 36, k.base, 8) +
      c(100, 46, 5, k.light) +
      l('M74 86q26-8 52 0M74 106q26-8 52 0M74 126q26-8 52 0', k.shade, 3),
  ],
  [
    /mill|bottle|flask|salts|cream\b|jar|tin\b|tins|bin|storage|box/,
    (k) =>
      r(64, 66, 72, 84, k.base, 10) + r(70, 46, 60, 22, k.shade, 6) + r(76, 90, 48, 34, k.light, 4) + l('M84 102h32M84 112h20', k.shade, 3),
  ],
  [
    /casserole|pan\b|saucepan|measuring/,
    (k) =>
      r(40, 88, 18, 12, k.shade, 6) +
      r(142, 88, 18, 12, k.shade, 6) +
      p('M54 80h92v44q-4 20-46 20t-46-20z', k.base) +
      r(50, 70, 100, 14, k.light, 7) +
      c(100, 64, 8, k.shade),
  ],
  [
    /train|car\b|truck|vehicle/,
    (k) =>
      r(48, 84, 70, 42, k.base, 6) +
      r(104, 58, 44, 68, k.shade, 6) +
      r(112, 66, 28, 22, k.light, 4) +
      r(60, 62, 14, 24, k.light, 3) +
      c(66, 132, 13, k.line) +
      c(66, 132, 5, k.light) +
      c(130, 132, 13, k.line) +
      c(130, 132, 5, k.light),
  ],
  [
    /bear|puppet|rabbit|doll|animal|soft/,
    (k) =>
      c(72, 60, 15, k.shade) +
      c(128, 60, 15, k.shade) +
      c(100, 84, 38, k.base) +
      e(100, 136, 34, 24, k.base) +
      e(100, 96, 17, 13, k.light) +
      c(86, 78, 4, k.line) +
      c(114, 78, 4, k.line) +
      e(100, 91, 5, 4, k.line),
  ],
  [
    /puzzle/,
    (k) =>
      p('M52 56h40q-8-18 8-18t8 18h40v36q18-8 18 8t-18 8v40h-96z', k.base) +
      l('M52 104h30q8 18 18 0h48M100 56v30q-16 8 0 18v44', k.light, 4),
  ],
  [
    /tower|block|stacking|rattle|toy|game/,
    (k) => r(56, 112, 88, 28, k.base, 6) + r(66, 82, 68, 28, k.light, 6) + r(76, 52, 48, 28, k.shade, 6) + c(100, 42, 10, k.base),
  ],
  [
    /kite/,
    (k) => p('M100 28l38 46l-38 56l-38-56z', k.base) + p('M100 28l38 46h-76z', k.light) + l('M100 130q-14 12 0 22t-6 20', k.shade, 3),
  ],
  [
    /soap|sponge/,
    (k) =>
      r(52, 82, 96, 54, k.base, 20) +
      r(64, 92, 72, 34, k.light, 14) +
      c(66, 62, 9, k.light, 'opacity=".8"') +
      c(90, 52, 6, k.light, 'opacity=".8"') +
      c(122, 62, 11, k.light, 'opacity=".8"'),
  ],
  [
    /mirror/,
    (k) =>
      e(100, 92, 44, 56, k.base) +
      e(100, 92, 34, 46, '#dfe9ee') +
      l('M84 82l20-24M92 100l26-32', '#fff', 4) +
      r(94, 146, 12, 16, k.shade, 4),
  ],
  [
    /clock|alarm/,
    (k) => c(100, 96, 54, k.base) + c(100, 96, 43, '#fffaf0') + l('M100 96v-28M100 96l20 12', k.line, 5) + c(100, 96, 5, k.shade),
  ],
  [
    /print|poster|frame|wall|picture|sign|hanging|chalkboard/,
    (k) =>
      r(56, 40, 88, 112, k.shade, 3) +
      r(64, 48, 72, 96, '#fffaf0', 1) +
      c(112, 78, 14, k.light) +
      p('M64 144v-24q18-26 34-8q16-26 38 2v30z', k.base),
  ],
  [
    /backpack|weekender/,
    (k) =>
      l('M82 50q18-26 36 0', k.shade, 7) +
      r(58, 50, 84, 98, k.base, 20) +
      r(70, 96, 60, 40, k.light, 8) +
      l('M70 110h60', k.shade, 3) +
      r(92, 62, 16, 10, k.shade, 3),
  ],
  [
    /purse|pouch|wash bag|sleeve|wallet|case/,
    (k) => p('M46 76h108l-8 62h-92z', k.base) + p('M46 76h108l-20 34h-68z', k.light) + c(100, 108, 6, k.shade),
  ],
  [
    /bag|tote|basket/,
    (k) =>
      l('M76 74q0-34 24-34t24 34', k.shade, 7) +
      p('M52 72h96l8 76h-112z', k.base) +
      p('M52 72h40l-6 76h-42z', k.light, 'opacity=".45"') +
      leafPair(104, 122, 14, k.shade),
  ],
  [
    /necklace|bracelet|anklet|bead/,
    (k) =>
      l('M54 48q4 84 46 84t46-84', k.shade, 4) +
      [
        [60, 78],
        [72, 106],
        [100, 124],
        [128, 106],
        [140, 78],
      ]
        .map(([x, y], i) => c(x, y + (i === 2 ? 10 : 0), i === 2 ? 14 : 8, i % 2 ? k.light : k.base))
        .join(''),
  ],
  [
    /earring/,
    (k) =>
      l('M72 44q-10 14 0 24M128 44q-10 14 0 24', k.line, 3) +
      p('M72 70l18 34l-18 34l-18-34z', k.base) +
      p('M128 70l18 34l-18 34l-18-34z', k.base) +
      c(72, 104, 8, k.light) +
      c(128, 104, 8, k.light),
  ],
  [
    /ring\b/,
    (k) =>
      `<circle cx="100" cy="112" r="36" fill="none" stroke="${k.base}" stroke-width="12"/>` +
      p('M100 40l22 20l-22 24l-22-24z', k.light) +
      p('M100 40l22 20h-44z', k.shade),
  ],
  [
    /brooch|clip|charm/,
    (k) =>
      [0, 60, 120, 180, 240, 300]
        .map((turn) => `<ellipse cx="100" cy="68" rx="15" ry="26" fill="${k.base}" transform="rotate(${turn} 100 96)"/>`)
        .join('') +
      c(100, 96, 15, k.light) +
      c(100, 96, 6, k.shade),
  ],
  [
    /heart/,
    (k) =>
      p('M100 146q-58-36-50-72q8-30 36-22q10 4 14 14q4-10 14-14q28-8 36 22q8 36-50 72z', k.base) +
      p('M72 66q-12 8-8 28', 'none', `stroke="${k.light}" stroke-width="6" stroke-linecap="round"`),
  ],
  [
    /star|christmas|decoration/,
    (k) => p('M100 36l18 40l44 4l-34 28l12 42l-40-24l-40 24l12-42l-34-28l44-4z', k.base) + c(100, 98, 14, k.light),
  ],
]

function hash(text: string): number {
  let h = 2166136261
  for (const char of text) h = Math.imul(h ^ (char.codePointAt(0) ?? 0), 16777619)
  return h >>> 0
}

function inkOf(text: string, seed: number): Ink {
  const word = Object.keys(hues).find((name) => text.includes(name))
  const hue = word === undefined ? [14, 38, 92, 150, 200, 226, 276, 338][seed % 8] : hues[word] + ((seed >> 5) % 9) - 4
  const saturation = word !== undefined && quiet.has(word) ? 16 : 42
  const tone = (s: number, lightness: number): string => `hsl(${hue} ${s}% ${lightness}%)`
  return { base: tone(saturation, 52), shade: tone(saturation, 34), light: tone(saturation + 8, 76), line: tone(20, 22) }
}

/** @returns SVG markup, 200 × 200, without text that anyone but us wrote */
export function art(id: string, title: string, category = '', colour = ''): string {
  const words = `${title} ${category}`.toLowerCase()
  const seed = hash(id + title)
  const ink = inkOf(`${colour} ${title}`.toLowerCase(), seed)
  const draw =
    drawings.find(([pattern]) => pattern.test(title.toLowerCase()))?.[1] ??
    drawings.find(([pattern]) => pattern.test(words))?.[1] ??
    abstract(seed)
  const hue = ink.base.slice(4, ink.base.indexOf(' '))
  return `<svg viewBox="0 0 200 200" aria-hidden="true"><rect width="200" height="200" fill="hsl(${hue} 32% ${91 + (seed % 3)}%)"/><path d="M0 ${148 + (seed % 10)}q100-${14 + (seed % 12)} 200 0v60h-200z" fill="hsl(${hue} 26% 85%)"/><ellipse cx="100" cy="156" rx="56" ry="7" fill="hsl(${hue} 24% 76%)"/><g transform="rotate(${(seed % 7) - 3} 100 100)">${draw(ink)}</g></svg>`
}

/** For what no drawing is known: hills, and a moon. */
const abstract =
  (seed: number): Draw =>
  (k) =>
    r(52, 48, 96, 100, k.light, 12) +
    c(82 + (seed % 40), 78, 17, '#fff6da') +
    p('M52 128q24-34 48-10q22-30 48 2v18q0 10-10 10h-76q-10 0-10-10z', k.base) +
    p('M52 140q30-20 56-6q20-10 40 0v4q0 10-10 10h-76q-10 0-10-8z', k.shade)
