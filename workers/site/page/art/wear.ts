import { box, disc, line, type Motif, oval, path, trim, turned } from './ink.ts'

const tote: Motif = (i, v) =>
  line('M76 84c-2-56 50-56 48 0', i.dark, 6) +
  path('M54 76h92l8 82H46z', i.main) +
  (v === 0 ? disc(100, 118, 20, i.light) : trim(50, 110, 100, i.light, v)) +
  box(72, 76, 8, 12, i.touch) +
  box(120, 76, 8, 12, i.touch)

const backpack: Motif = (i) =>
  line('M86 46c0-18 28-18 28 0', i.dark, 6) +
  box(44, 90, 20, 54, i.dark, 8) +
  box(136, 90, 20, 54, i.dark, 8) +
  path('M60 84c0-28 18-40 40-40s40 12 40 40v60c0 10-6 14-14 14H74c-8 0-14-4-14-14z', i.main) +
  path('M60 84c0-28 18-40 40-40s40 12 40 40c-20 12-60 12-80 0z', i.dark) +
  box(74, 112, 52, 34, i.light, 6) +
  box(95, 84, 10, 22, i.touch, 3)

const pouch: Motif = (i, v) =>
  path('M44 72h112l6 72c0 8-4 12-10 12H48c-6 0-10-4-10-12z', i.main) +
  box(42, 66, 116, 12, i.dark, 4) +
  line('M150 72c12 4 14 18 8 28', i.touch, 4) +
  trim(41, 108, 118, i.light, v)

const weekender: Motif = (i) =>
  line('M70 88c0-48 60-48 60 0', i.dark, 6) +
  path('M44 84h112c12 14 14 60 8 74H36c-6-14-4-60 8-74z', i.main) +
  box(38, 82, 124, 9, i.dark, 4) +
  box(66, 84, 9, 74, i.touch, 0) +
  box(125, 84, 9, 74, i.touch, 0) +
  box(86, 110, 28, 18, i.light, 3)

const lunchBag: Motif = (i, v) =>
  path('M58 70h84l6 82c0 4-2 6-6 6H58c-4 0-6-2-6-6z', i.main) +
  path('M58 44h84v34H58z', i.light) +
  box(58, 60, 84, 8, i.dark, 0) +
  disc(100, 74, 6, i.touch) +
  trim(55, 116, 90, i.light, v)

const purse: Motif = (i) =>
  path('M46 92c0-8 6-12 12-12h84c6 0 12 4 12 12l6 48c0 12-8 18-18 18H58c-10 0-18-6-18-18z', i.main) +
  box(48, 72, 104, 13, '#d1a851', 5) +
  disc(94, 68, 7, '#d1a851') +
  disc(108, 68, 7, '#d1a851') +
  line('M60 104c26 14 54 14 80 0', i.light, 3)

const sleeve: Motif = (i) =>
  turned(
    -6,
    box(42, 62, 116, 84, i.light, 6) +
      box(42, 74, 116, 84, i.main, 8) +
      path('M42 82c0-6 4-8 8-8h100c4 0 8 2 8 8-30 40-86 40-116 0z', i.dark) +
      disc(100, 112, 6, i.touch),
  )

const umbrella: Motif = (i) =>
  line('M100 40v104c0 18 24 18 24 2', i.dark, 5) +
  path('M30 100c4-82 136-82 140 0-12-12-28-12-35 0-10-12-25-12-35 0-10-12-25-12-35 0-7-12-23-12-35 0z', i.main) +
  path('M65 100c0-40 18-62 35-62s35 22 35 62c-10-12-25-12-35 0-10-12-25-12-35 0z', i.light)

const shirt: Motif = (i) =>
  path('M76 50c8 14 40 14 48 0l34 18-12 32-16-8v66H70V92l-16 8-12-32z', i.main) +
  path('M76 50c8 14 40 14 48 0l-4-2c-8 8-32 8-40 0z', i.dark) +
  box(84, 96, 32, 22, i.light, 3)

const necklace: Motif = (i) =>
  line('M46 36c0 62 24 80 54 84 30-4 54-22 54-84', '#c79f4a', 3) +
  [58, 74, 126, 142].map((x) => disc(x, x === 74 || x === 126 ? 102 : 78, 5, i.light)).join('') +
  path('M100 116l17 22-17 26-17-26z', i.main) +
  path('M100 116l17 22h-34z', i.light)

const earrings: Motif = (i, v) =>
  [70, 130]
    .map(
      (x) =>
        line(`M${x} 62c-12-20 14-24 8-6`, '#c79f4a', 3) +
        (v === 0
          ? disc(x, 78, 11, i.light) + path(`M${x} 86c22 30 14 56 0 58-14-2-22-28 0-58z`, i.main)
          : disc(x, 104, 30, i.main) + disc(x, 108, 17, i.light) + disc(x, 76, 7, i.touch)),
    )
    .join('')

const bracelet: Motif = (i) => {
  const beads = Array.from({ length: 16 }, (_, n) => {
    const turn = (n * Math.PI) / 8
    return disc(
      Math.round(100 + 48 * Math.cos(turn)),
      Math.round(106 + 42 * Math.sin(turn)),
      n % 4 === 0 ? 11 : 9,
      [i.main, i.light, i.main, i.touch][n % 4] ?? i.main,
    )
  })
  return beads.join('')
}

const ring: Motif = (i) =>
  `<circle cx="100" cy="116" r="38" fill="none" stroke="#c79f4a" stroke-width="10"/>` +
  path('M76 56h48l14 16-38 34-38-34z', i.main) +
  path('M76 56h48l-10 16H86z', i.light) +
  path('M86 72h28l-14 34z', i.touch)

const brooch: Motif = (i) =>
  [0, 60, 120, 180, 240, 300]
    .map((turn) => `<g transform="rotate(${turn} 100 104)">${oval(100, 72, 17, 30, turn % 120 === 0 ? i.main : i.light)}</g>`)
    .join('') +
  disc(100, 104, 16, i.touch) +
  disc(100, 104, 7, '#c79f4a')

const hairClip: Motif = (i) =>
  turned(-18, box(36, 92, 128, 24, i.main, 12) + box(46, 100, 92, 5, i.light, 2) + disc(142, 104, 22, i.touch) + disc(142, 104, 9, i.light))

const soap: Motif = (i, v) =>
  box(50, 132, 104, 26, i.dark, 12) +
  box(46, 92, 108, 46, i.main, 18) +
  box(62, 102, 76, 24, i.light, 12) +
  (v > 0 ? line('M78 114h44', i.main, 3) : '') +
  disc(138, 74, 12, '#ffffff99') +
  disc(158, 56, 8, '#ffffff88') +
  disc(122, 62, 6, '#ffffff88')

const dish: Motif = (i) =>
  path('M36 122h128c-4 26-20 36-36 36H72c-16 0-32-10-36-36z', i.main) +
  box(32, 114, 136, 12, i.dark, 6) +
  box(62, 86, 76, 32, i.light, 14) +
  disc(120, 72, 9, '#ffffff99') +
  disc(134, 58, 6, '#ffffff88')

const brush: Motif = (i) =>
  turned(
    -24,
    Array.from({ length: 9 }, (_, n) => box(66 + n * 8, 116, 5, 26, i.light, 2)).join('') +
      path('M60 96h80c8 0 8 24 0 24H60c-8 0-8-24 0-24z', i.main) +
      path('M138 100h44c10 0 10 16 0 16h-44z', i.main) +
      disc(178, 108, 3, i.light),
  )

const tube: Motif = (i, v) =>
  turned(
    8,
    path('M70 40h60l-8 96H78z', i.main) +
      box(68, 34, 64, 10, i.dark, 2) +
      box(82, 136, 36, 22, i.touch, 4) +
      (v > 0 ? trim(75, 66, 50, i.light, v) : box(82, 64, 36, 40, i.light, 18)),
  )

const crate: Motif = (i, v) =>
  box(42, 74, 116, 84, i.main, 4) +
  path('M42 78l20-26h76l20 26z', i.light) +
  path('M62 52h76l-8 26H70z', i.dark) +
  (v === 0 ? disc(100, 116, 20, i.light) : trim(42, 108, 116, i.light, v)) +
  (v === 2 ? '' : path('M100 104l5 9 10 2-7 7 2 10-10-5-10 5 2-10-7-7 10-2z', i.touch))

export const wear = {
  tote,
  backpack,
  pouch,
  weekender,
  lunchBag,
  purse,
  sleeve,
  umbrella,
  shirt,
  necklace,
  earrings,
  bracelet,
  ring,
  brooch,
  hairClip,
  soap,
  dish,
  brush,
  tube,
  crate,
}
