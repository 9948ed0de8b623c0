import { box, disc, line, type Motif, path, trim, turned } from './ink.ts'

const cushion: Motif = (i, v) =>
  path('M44 62c20 6 92 6 112 0-6 30-6 62 0 92-20-6-92-6-112 0 6-30 6-62 0-92z', i.main) +
  (v === 0
    ? line('M52 70l96 76M148 70l-96 76', i.light, 2) + disc(100, 108, 6, i.touch)
    : [82, 104, 126].map((y) => line(`M56 ${y}h88`, v === 1 ? i.light : i.touch, 4)).join(''))

const folded: Motif = (i, v) =>
  box(46, 122, 108, 36, i.dark, 10) +
  box(46, 96, 108, 36, i.main, 10) +
  box(46, 70, 108, 36, i.light, 10) +
  box(46, 88, 108, 8, i.main, 0) +
  (v > 0 ? box(118, 70, 10, 88, i.touch, 0) : box(60, 70, 5, 88, i.touch, 0) + box(70, 70, 5, 88, i.touch, 0)) +
  [52, 64, 76, 88].map((x) => line(`M${x} 106v9`, i.light, 2)).join('')

const towel: Motif = (i, v) =>
  box(38, 44, 124, 6, i.dark, 3) +
  path('M60 44h80v108H60z', i.main) +
  path('M60 44h22v94H60z', i.dark) +
  trim(60, 124, 80, i.light, v) +
  [66, 78, 90, 102, 114, 126, 138].map((x) => line(`M${x} 152v6`, i.main, 2)).join('')

const rug: Motif = (i, v) =>
  path('M38 66h124v76H38z', i.main) +
  path('M50 78h100v52H50z', i.light) +
  (v === 0
    ? path('M100 82l34 22-34 22-34-22z', i.touch)
    : [62, 84, 106, 128].map((x) => path(`M${x} 88l10 16-10 16-10-16z`, i.touch)).join('')) +
  Array.from({ length: 10 }, (_, n) => line(`M28 ${70 + n * 7.5}h10M162 ${70 + n * 7.5}h10`, i.dark, 2)).join('')

const apron: Motif = (i, v) =>
  line('M82 50c0-26 36-26 36 0M62 92L42 104M138 92l20 12', i.dark, 4) +
  path('M80 48h40c2 24 8 36 22 42v68H58V90c14-6 20-18 22-42z', i.main) +
  box(78, 104, 44, 30, i.light, 3) +
  (v > 0 ? trim(58, 146, 84, i.touch, v) : line('M100 104v30', i.main, 2))

const notebook: Motif = (i, v) =>
  turned(
    -6,
    box(62, 46, 82, 112, i.dark, 5) +
      box(56, 42, 84, 112, i.main, 5) +
      box(56, 42, 14, 112, i.dark, 3) +
      (v === 0 ? box(84, 62, 44, 24, i.light, 2) : v === 1 ? box(122, 42, 6, 112, i.touch, 0) : disc(106, 88, 16, i.light)) +
      path('M116 154h10v16l-5-5-5 5z', i.touch),
  )

const pen: Motif = (i, v) =>
  turned(
    38,
    box(91, 40, 18, 92, i.main, 4) +
      path('M91 132h18l-9 28z', '#efe2c6') +
      path('M97 150h6l-3 10z', i.dark) +
      box(91, 40, 18, 12, i.touch, 4) +
      (v > 0 ? box(91, 112, 18, 6, i.light, 0) : ''),
  ) + line('M50 150c14-8 18 8 32 0', i.dark, 3)

const envelope: Motif = (i, v) =>
  turned(
    -5,
    box(66, 46, 84, 60, i.light, 2) +
      (v > 0 ? line('M80 62h50M80 74h36', i.dark, 2) : disc(108, 70, 10, i.touch)) +
      box(44, 76, 112, 76, i.main, 3) +
      path('M44 78l56 42 56-42v-2H44z', i.dark) +
      disc(100, 116, 9, i.touch),
  )

const calendar: Motif = (i) =>
  path('M48 158l12-14h80l12 14z', i.dark) +
  box(52, 56, 96, 92, i.light, 4) +
  box(52, 56, 96, 24, i.main, 4) +
  [70, 90, 110, 130].map((x) => line(`M${x} 48v14`, i.dark, 4)).join('') +
  [94, 112, 130]
    .map((y) => [66, 84, 102, 120].map((x) => box(x, y, 12, 10, x === 102 && y === 112 ? i.touch : i.main, 2)).join(''))
    .join('')

const bookmark: Motif = (i, v) =>
  turned(
    10,
    path('M82 44h40v108l-20-16-20 16z', i.main) +
      trim(82, 64, 40, i.light, v) +
      line('M102 44c-2-16 10-16 14-24', i.touch, 3) +
      box(112, 10, 10, 18, i.touch, 3),
  )

const book: Motif = (i, v) =>
  box(58, 48, 90, 110, i.dark, 3) +
  box(62, 150, 84, 6, '#fbf5e8', 0) +
  box(54, 42, 90, 110, i.main, 3) +
  box(54, 42, 10, 110, i.dark, 2) +
  (v === 0
    ? disc(104, 84, 20, i.touch) + line('M82 122h44M90 132h28', i.light, 3)
    : v === 1
      ? path('M76 116l20-34 14 20 8-10 16 24z', i.light) + disc(118, 72, 7, i.touch) + line('M84 132h40', i.light, 3)
      : box(76, 62, 56, 44, i.light, 0) + line('M86 76h36M86 86h24M82 128h44', i.touch, 3))

const bookStack: Motif = (i) =>
  box(46, 138, 108, 20, i.main, 3) +
  box(54, 118, 96, 20, i.touch, 3) +
  box(50, 98, 92, 20, i.dark, 3) +
  turned(-16, box(76, 54, 84, 18, i.light, 3)) +
  line('M60 148h20M66 128h14M62 108h18', '#fffaf0', 2)

const picture: Motif = (i, v) =>
  box(48, 36, 104, 122, i.dark, 2) +
  box(54, 42, 92, 110, '#fbf6ea', 0) +
  box(64, 52, 72, 90, i.light, 0) +
  (v === 0
    ? disc(112, 82, 16, i.touch) + path('M64 142v-30c16-22 26-8 38-18s20-4 34 8v40z', i.main)
    : v === 1
      ? disc(90, 90, 22, i.main) + disc(110, 108, 22, i.touch)
      : path('M100 62c26 18 26 50 0 70-26-20-26-52 0-70z', i.main) + line('M100 74v58M100 98l14-12M100 112l-14-12', i.light, 2))

const map: Motif = (i) =>
  path('M40 60l40-12 40 12 40-12v98l-40 12-40-12-40 12z', i.light) +
  path('M80 48l40 12v98l-40-12z', i.main) +
  path('M48 96c16-16 22 8 32 0v26c-12 10-20-6-32 4zM124 74c14-8 20 4 30-4v30c-12 8-20-8-30 6z', i.touch) +
  line('M62 128c24-30 42 10 74-44', i.dark, 3) +
  disc(136, 84, 5, i.dark)

const hanging: Motif = (i, v) =>
  line('M100 22L56 50M100 22l44 28', i.dark, 2) +
  box(46, 48, 108, 7, '#8a6a4c', 3) +
  path('M58 55h84v52l-42 34-42-34z', i.main) +
  path('M70 55h60v36l-30 24-30-24z', v === 0 ? i.light : i.touch) +
  [62, 76, 90, 100, 110, 124, 138].map((x) => line(`M${x} ${141 - Math.abs(x - 100) * 0.8}v20`, i.dark, 2)).join('')

const bunting: Motif = (i) => {
  const flags = [
    { x: 30, y: 72, fill: i.main },
    { x: 62, y: 81, fill: i.touch },
    { x: 94, y: 85, fill: i.light },
    { x: 126, y: 81, fill: i.main },
    { x: 156, y: 73, fill: i.touch },
  ]
  return line('M16 62c56 34 112 34 168 0', i.dark, 3) + flags.map(({ x, y, fill }) => path(`M${x - 14} ${y}h30l-15 42z`, fill)).join('')
}

const sign: Motif = (i, v) =>
  line('M100 34L60 66M100 34l40 32', i.dark, 2) +
  disc(100, 34, 4, i.dark) +
  box(38, 64, 124, 66, i.main, 5) +
  box(45, 71, 110, 52, i.light, 3) +
  (v === 0 ? path('M100 114c-28-18-14-40 0-26 14-14 28 8 0 26z', i.touch) : line('M60 88h80M72 104h56', i.dark, 4))

const heart: Motif = (i, v) =>
  line('M100 66V24', i.dark, 2) +
  path('M100 152C36 112 44 58 76 58c14 0 22 10 24 16 2-6 10-16 24-16 32 0 40 54-24 94z', i.main) +
  (v === 0 ? disc(78, 86, 8, i.light) : trim(66, 92, 68, i.light, v))

const wrap: Motif = (i) =>
  turned(
    24,
    box(70, 36, 26, 120, i.main, 12) +
      box(104, 36, 26, 120, i.light, 12) +
      [54, 78, 102, 126].map((y) => line(`M72 ${y}l22 10`, i.touch, 4) + disc(117, y + 4, 5, i.touch)).join(''),
  )

const gift: Motif = (i) =>
  box(50, 84, 100, 74, i.main, 3) +
  box(44, 70, 112, 22, i.dark, 3) +
  box(92, 70, 16, 88, i.touch, 0) +
  line('M100 70c-34-4-30-40-2-6M100 70c34-4 30-40 2-6', i.touch, 6)

const scissors: Motif = (i) =>
  turned(
    18,
    path('M94 34l10 0 6 84-10 6z', '#c6cdd0') +
      path('M112 36l-10-2-12 84 10 6z', '#aab3b8') +
      line('M92 120c-26 6-24 40-2 38 16-2 14-26 6-36M108 120c26 6 24 40 2 38-16-2-14-26-6-36', i.main, 8),
  )

export const studio = {
  cushion,
  folded,
  towel,
  rug,
  apron,
  notebook,
  pen,
  envelope,
  calendar,
  bookmark,
  book,
  bookStack,
  picture,
  map,
  hanging,
  bunting,
  sign,
  heart,
  wrap,
  gift,
  scissors,
}
