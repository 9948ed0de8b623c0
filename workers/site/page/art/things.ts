import { box, disc, line, type Motif, oval, path, trim, turned } from './ink.ts'

const LEAF = '#6f8a55'
const WOOD = '#b98d5f'

const pot: Motif = (i, v) =>
  line('M100 96V58M100 84c-18 0-26-12-26-26M100 78c16 0 26-12 28-28', LEAF, 4) +
  oval(72, 54, 9, 15, LEAF) +
  oval(130, 48, 9, 15, LEAF) +
  oval(100, 46, 10, 19, '#87a06a') +
  path('M60 104h80l-10 54H70z', i.main) +
  box(54, 92, 92, 18, i.dark, 3) +
  trim(68, 124, 64, i.light, v)

const planter: Motif = (i, v) =>
  [52, 74, 100, 126, 148]
    .map(
      (x, n) =>
        line(`M${x} 108c0-20 ${n - 2} -30 ${(n - 2) * 3} -46`, LEAF, 4) + disc(x + (n - 2) * 3, 58, 8, n % 2 === 0 ? i.touch : i.light),
    )
    .join('') +
  box(34, 104, 132, 50, i.main, 4) +
  trim(34, 122, 132, i.light, v) +
  box(46, 154, 12, 6, i.dark) +
  box(142, 154, 12, 6, i.dark)

const wateringCan: Motif = (i) =>
  line('M78 92c-4-46 60-46 56 0M56 104c-28 0-26 44 6 42', i.main, 7) +
  path('M132 124l34-44 8 6-30 56z', i.main) +
  path('M158 74l20 16 4-8-18-14z', i.dark) +
  path('M60 90h76l6 68H54z', i.main) +
  oval(98, 90, 38, 7, i.dark) +
  box(58, 120, 82, 6, i.light, 0)

const trowel: Motif = (i) =>
  turned(
    30,
    box(92, 108, 16, 52, WOOD, 7) +
      box(97, 88, 6, 24, '#8e979b') +
      path('M100 26c22 20 24 44 12 66H88c-12-22-10-46 12-66z', i.main) +
      line('M100 44v40', i.light, 3),
  )

const birdhouse: Motif = (i) =>
  line('M100 44V10', i.dark, 2) +
  box(64, 84, 72, 66, i.main, 2) +
  path('M100 40l54 48H46z', i.dark) +
  disc(100, 106, 15, '#2c2521') +
  line('M100 130v8', i.touch, 5) +
  box(56, 148, 88, 9, i.dark, 2) +
  path('M128 136c10-12 24-8 28 0l8 2-8 4c-6 10-24 8-28-6z', i.touch)

const seedBox: Motif = (i) =>
  [56, 80, 104, 128].map((x, n) => box(x, 64, 20, 50, n % 2 === 0 ? i.light : i.touch, 2) + disc(x + 10, 82, 5, i.main)).join('') +
  box(42, 98, 116, 58, i.main, 3) +
  box(42, 98, 116, 10, i.dark, 2) +
  box(80, 120, 40, 20, i.light, 2)

const windChime: Motif = (i) =>
  line('M100 16v22M66 54v24M83 54v18M100 54v34M117 54v18M134 54v24', i.dark, 2) +
  path('M100 34c26 0 42 10 44 22H56c2-12 18-22 44-22z', i.main) +
  box(62, 76, 9, 56, i.main, 4) +
  box(79, 70, 9, 72, i.light, 4) +
  box(112, 70, 9, 72, i.light, 4) +
  box(129, 76, 9, 56, i.main, 4) +
  disc(100, 96, 9, i.touch) +
  line('M100 104v34', i.dark, 2) +
  path('M100 136l10 14-10 14-10-14z', i.touch)

const board: Motif = (i, v) =>
  turned(
    -14,
    path('M58 70c0-10 6-14 14-14h18c4 0 4-30 10-30s6 30 10 30h18c8 0 14 4 14 14v72c0 10-6 16-14 16H72c-8 0-14-6-14-16z', i.main) +
      disc(100, 42, 4, i.dark) +
      line('M72 74c10 20-6 40 4 66M122 74c-8 22 6 44-2 66', i.dark, 2) +
      (v > 0 ? box(92, 62, 8, 96, i.touch, 0) : ''),
  )

const mill: Motif = (i) =>
  disc(100, 36, 9, i.touch) +
  path('M84 48h32c6 12 0 20-6 26H90c-6-6-12-14-6-26z', i.main) +
  path('M88 78h24c2 24 18 40 18 66 0 10-6 14-12 14H82c-6 0-12-4-12-14 0-26 16-42 18-66z', i.main) +
  box(86, 72, 28, 8, i.dark, 2) +
  box(71, 134, 58, 6, i.light, 0)

const whisk: Motif = (i) =>
  turned(
    24,
    box(93, 98, 14, 62, i.main, 6) +
      line('M100 100C60 78 72 30 100 26c28 4 40 52 0 74M100 100C82 80 86 40 100 26c14 14 18 54 0 74M100 26v74', '#8e979b', 3) +
      disc(100, 152, 3, i.light),
  )

const colander: Motif = (i) =>
  line('M44 96c-20-4-18 20 4 18M156 96c20-4 18 20-4 18', i.dark, 6) +
  path('M44 88h112c0 36-22 60-56 60S44 124 44 88z', i.main) +
  box(40, 82, 120, 10, i.dark, 4) +
  box(82, 146, 36, 12, i.dark, 2) +
  [104, 118, 132].map((y, n) => Array.from({ length: 6 - n }, (_, x) => disc(66 + n * 7 + x * 14, y, 3, i.light)).join('')).join('')

const casserole: Motif = (i) =>
  line('M40 108c-18-2-18 20 2 20M160 108c18-2 18 20-2 20', i.dark, 7) +
  path('M42 98h116v38c0 14-10 22-24 22H66c-14 0-24-8-24-22z', i.main) +
  path('M46 94c4-22 28-30 54-30s50 8 54 30z', i.dark) +
  box(38, 90, 124, 9, i.light, 4) +
  disc(100, 58, 8, i.touch)

const tin: Motif = (i, v) =>
  box(46, 76, 108, 80, i.main, 8) +
  box(40, 58, 120, 24, i.dark, 8) +
  box(88, 50, 24, 10, i.touch, 4) +
  (v === 0 ? box(74, 100, 52, 30, i.light, 3) + line('M84 115h32', i.dark, 3) : trim(46, 108, 108, i.light, v))

const spoons: Motif = (i) =>
  [-30, -8, 14, 36]
    .map(
      (turn, n) =>
        `<g transform="rotate(${turn} 100 152)">${box(97, 66, 6, 90, n % 2 === 0 ? i.main : i.dark, 3)}${oval(100, 54, 13 - n * 1.5, 17 - n * 2, n % 2 === 0 ? i.main : i.dark)}${oval(100, 54, 8 - n, 11 - n, i.light)}</g>`,
    )
    .join('') + disc(100, 150, 8, i.touch)

const cake: Motif = (i) =>
  path('M78 158c0-8 14-8 14-18v-8h16v8c0 10 14 10 14 18z', i.dark) +
  oval(100, 130, 62, 8, i.dark) +
  path('M62 128V92h76v36z', i.main) +
  path('M62 96c0-14 12-20 38-20s38 6 38 20c-6 12-12 12-16 2-6 12-14 12-18 0-6 14-14 12-18 0-4 10-18 10-24-2z', i.light) +
  disc(100, 70, 7, i.touch)

const train: Motif = (i) =>
  box(40, 72, 50, 62, i.main, 4) +
  box(34, 64, 62, 12, i.dark, 4) +
  box(50, 84, 28, 22, i.light, 3) +
  box(84, 96, 72, 40, i.touch, 12) +
  box(126, 70, 16, 30, i.dark, 3) +
  disc(138, 54, 9, i.light) +
  disc(152, 42, 6, i.light) +
  [60, 98, 134].map((x) => disc(x, 142, 16, i.dark) + disc(x, 142, 7, i.light)).join('')

const puzzle: Motif = (i) =>
  path('M48 60h44c-8-20 24-20 16 0h44v42c-20-8-20 24 0 16v40H108c8-20-24-20-16 0H48v-40c20 8 20-24 0-16z', i.main) +
  path('M100 60v98M48 110h104', 'none') +
  line('M100 66v34c-18-8-18 24 0 16v34M54 108h30M116 108h30', i.light, 3) +
  disc(126, 84, 7, i.touch)

const bear: Motif = (i) =>
  disc(70, 50, 15, i.main) +
  disc(130, 50, 15, i.main) +
  disc(70, 50, 7, i.light) +
  disc(130, 50, 7, i.light) +
  oval(100, 134, 38, 28, i.main) +
  oval(60, 120, 13, 20, i.main) +
  oval(140, 120, 13, 20, i.main) +
  disc(100, 76, 38, i.main) +
  oval(100, 90, 17, 13, i.light) +
  oval(100, 84, 6, 4, '#2c2521') +
  disc(86, 70, 4, '#2c2521') +
  disc(114, 70, 4, '#2c2521') +
  path('M100 112l-18-8v16zM100 112l18-8v16z', i.touch) +
  oval(78, 154, 15, 9, i.dark) +
  oval(122, 154, 15, 9, i.dark)

const tower: Motif = (i) =>
  box(50, 136, 100, 22, i.main, 11) +
  box(60, 114, 80, 22, i.touch, 11) +
  box(68, 92, 64, 22, i.light, 11) +
  box(76, 70, 48, 22, i.dark, 11) +
  disc(100, 56, 15, i.touch)

const kite: Motif = (i) =>
  turned(
    14,
    path('M100 22l42 52-42 66-42-66z', i.main) +
      path('M100 22l42 52h-42zM100 140L58 74h42z', i.touch) +
      line('M100 140c-16 10 12 16-4 28', i.dark, 3) +
      path('M86 152l12 4-4 10zM104 160l-12 0 6 8z', i.light),
  )

const rattle: Motif = (i) =>
  turned(
    34,
    box(93, 84, 14, 66, WOOD, 6) +
      disc(100, 154, 12, i.touch) +
      disc(100, 62, 34, i.main) +
      box(66, 58, 68, 8, i.light, 0) +
      disc(84, 48, 4, i.touch) +
      disc(100, 43, 4, i.touch) +
      disc(116, 48, 4, i.touch),
  )

const puppet: Motif = (i) =>
  path('M100 84c30 0 42 40 44 74H56c2-34 14-74 44-74z', i.main) +
  oval(52, 112, 18, 11, i.main) +
  oval(148, 112, 18, 11, i.main) +
  disc(100, 64, 30, '#e8c6a4') +
  path('M68 60c0-40 64-40 64 0-12-14-52-14-64 0z', i.touch) +
  disc(90, 66, 3, '#2c2521') +
  disc(110, 66, 3, '#2c2521') +
  line('M92 78c4 4 12 4 16 0', '#2c2521', 2) +
  [118, 136].map((y) => disc(100, y, 4, i.light)).join('')

const blocks: Motif = (i) =>
  box(46, 106, 52, 52, i.main, 4) +
  box(102, 106, 52, 52, i.touch, 4) +
  turned(-5, box(76, 50, 52, 52, i.light, 4) + path('M102 60l16 30H86z', i.dark)) +
  disc(72, 132, 13, i.light) +
  box(116, 120, 24, 24, i.light, 2)

const ornament: Motif = (i, v) =>
  line('M100 58V18', i.dark, 2) +
  box(90, 48, 20, 14, '#d6b157', 3) +
  disc(100, 106, 48, i.main) +
  (v === 0 ? path('M54 94h92l2 10-2 10H54l-2-10z', i.light) : path('M100 76l9 20 22 3-16 15 4 22-19-11-19 11 4-22-16-15 22-3z', i.touch))

export const things = {
  pot,
  planter,
  wateringCan,
  trowel,
  birdhouse,
  seedBox,
  windChime,
  board,
  mill,
  whisk,
  colander,
  casserole,
  tin,
  spoons,
  cake,
  train,
  puzzle,
  bear,
  tower,
  kite,
  rattle,
  puppet,
  blocks,
  ornament,
}
