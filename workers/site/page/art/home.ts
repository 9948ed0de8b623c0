import { box, disc, line, type Motif, oval, path, trim } from './ink.ts'

const mug: Motif = (i, v) =>
  line('M136 92c24-4 28 40-2 42', i.main, 9) +
  path('M58 74h80v66c0 12-8 18-18 18H76c-10 0-18-6-18-18z', i.main) +
  oval(98, 74, 40, 8, i.dark) +
  trim(58, 108, 80, i.light, v)

const cup: Motif = (i, v) =>
  oval(100, 152, 62, 8, i.light) +
  line('M132 104c20-2 20 24-4 26', i.main, 7) +
  path('M66 92h68c0 36-10 56-34 56S66 128 66 92z', i.main) +
  oval(100, 92, 34, 6, i.dark) +
  (v > 0 ? line('M92 78c-6-10 6-12 0-24M108 78c-6-10 6-12 0-24', i.light) : trim(72, 108, 56, i.touch, 1))

const bowl: Motif = (i, v) =>
  path('M40 100h120c0 34-22 58-46 58H86c-24 0-46-24-46-58z', i.main) +
  oval(100, 100, 60, 12, i.dark) +
  oval(100, 102, 52, 8, i.light) +
  trim(56, 122, 88, i.touch, v)

const plate: Motif = (i, v) =>
  disc(100, 104, 60, i.main) +
  disc(100, 104, 44, i.light) +
  (v === 0 ? disc(100, 104, 34, i.main) : line('M100 78v52M84 92c10 0 16 6 16 14M116 92c-10 0-16 6-16 14', i.touch, 4))

const teapot: Motif = (i, v) =>
  line('M52 100c-30-4-28 38 4 36', i.main, 9) +
  path('M140 116c16-2 14-26 28-30l4 6c-10 8-8 34-28 44z', i.main) +
  path('M48 120c0-28 22-44 50-44s50 16 50 44c0 24-16 38-30 38H78c-14 0-30-14-30-38z', i.main) +
  path('M74 82c6-12 42-12 48 0z', i.dark) +
  disc(98, 70, 7, i.touch) +
  trim(60, 116, 76, i.light, v)

const vase: Motif = (i, v) =>
  line('M100 80C96 60 90 46 78 36M102 80c2-24 8-38 22-46M100 78V30', '#6d7b4c', 3) +
  oval(76, 34, 9, 6, i.touch) +
  oval(126, 32, 9, 6, i.touch) +
  disc(100, 26, 8, i.touch) +
  path('M84 78h32c0 16 26 24 26 50 0 20-14 30-24 30H82c-10 0-24-10-24-30 0-26 26-34 26-50z', i.main) +
  trim(66, 116, 68, i.light, v)

const jug: Motif = (i, v) =>
  line('M134 82c26-2 26 50-4 50', i.main, 8) +
  path('M66 58l-8-8h72l4 20c6 20 8 30 8 50 0 26-12 38-24 38H86c-12 0-26-12-26-38 0-24 10-40 6-62z', i.main) +
  trim(64, 108, 74, i.light, v)

const jar: Motif = (i, v) =>
  path('M62 82h76c6 6 8 12 8 20v42c0 10-6 14-14 14H68c-8 0-14-4-14-14v-42c0-8 2-14 8-20z', i.main) +
  box(60, 66, 80, 18, i.dark, 5) +
  disc(100, 60, 7, i.touch) +
  box(76, 104, 48, 30, i.light, 3) +
  (v > 0 ? line('M84 114h32M84 123h20', i.dark, 2) : disc(100, 119, 8, i.touch))

const bottle: Motif = (i, v) =>
  path('M88 44h24v28c0 10 20 16 20 36v38c0 8-4 12-12 12H80c-8 0-12-4-12-12v-38c0-20 20-26 20-36z', i.main) +
  box(85, 34, 30, 14, i.dark, 3) +
  box(68, 108, 64, 32, i.light, 0) +
  (v > 0 ? disc(100, 124, 9, i.touch) : line('M82 118h36M82 128h24', i.dark, 2))

const hotWaterBottle: Motif = (i, v) =>
  box(86, 26, 28, 22, i.dark, 5) +
  path('M88 46h24c2 12 30 14 34 26 6 20 6 58 0 74-4 10-12 12-20 12H74c-8 0-16-2-20-12-6-16-6-54 0-74 4-12 32-14 34-26z', i.main) +
  (v === 0
    ? path('M100 136c-30-20-16-46 0-30 16-16 30 10 0 30z', i.light)
    : [74, 87, 100, 113, 126].map((x) => line(`M${x} 84v60`, v === 1 ? i.light : i.touch, 4)).join(''))

const glass: Motif = (i) =>
  oval(100, 154, 30, 5, i.dark) +
  line('M100 112v40', i.dark, 5) +
  path('M68 48h64c4 40-8 66-32 66S64 88 68 48z', i.light) +
  path('M68 78h64c-2 24-12 36-32 36S70 102 68 78z', i.main)

const tableLamp: Motif = (i, v) =>
  path('M72 48h56l22 52H50z', i.main) +
  (v > 0 ? path('M84 48h10l-8 52H68z', i.light) + path('M112 48h8l16 52h-14z', i.light) : box(50, 92, 100, 8, i.dark, 0)) +
  box(97, 100, 6, 16, i.dark) +
  path('M86 116h28c10 8 12 18 12 24s-6 18-14 18H88c-8 0-14-12-14-18s2-16 12-24z', i.touch)

const pendant: Motif = (i, v) =>
  line('M100 0v58', i.dark, 2) +
  box(93, 52, 14, 16, i.dark, 3) +
  (v === 1 ? disc(100, 104, 42, i.main) : path('M100 64c34 0 54 24 58 56H42c4-32 24-56 58-56z', i.main)) +
  (v === 1 ? line('M62 92h76M58 108h84M66 124h68', i.light, 2) : oval(100, 120, 58, 8, i.light)) +
  path('M86 124h28l-4 12H90z', '#f8e7ab')

const lantern: Motif = (i) =>
  line('M78 52c0-30 44-30 44 0', i.dark, 4) +
  path('M70 66l12-16h36l12 16z', i.main) +
  box(72, 66, 56, 78, i.light, 0) +
  box(68, 66, 7, 80, i.main, 0) +
  box(125, 66, 7, 80, i.main, 0) +
  box(97, 66, 5, 26, i.main, 0) +
  box(62, 144, 76, 14, i.main, 3) +
  box(90, 114, 20, 30, '#fff8e7', 2) +
  path('M100 92c8 10 8 20 0 22-8-2-8-12 0-22z', '#eaa83a')

const floorLamp: Motif = (i) =>
  line('M100 158V52M64 158h72', i.dark, 5) +
  path('M78 28h44l22 42H56z', i.main) +
  box(56, 64, 88, 6, i.light, 0) +
  disc(112, 84, 4, i.touch) +
  line('M112 70v10', i.touch, 2)

const readingLight: Motif = (i) =>
  oval(82, 154, 34, 7, i.dark) +
  line('M82 150L66 100l48-34', i.main, 6) +
  disc(66, 100, 6, i.touch) +
  path('M104 48l36 26c4 16-4 28-16 30L96 82z', i.main) +
  disc(126, 96, 9, '#f8e7ab')

const candle: Motif = (i, v) =>
  (v === 0 ? path('M54 148h92l-8 10H62z', i.dark) : oval(100, 154, 44, 6, i.dark)) +
  box(72, 84, 56, 68, i.main, 4) +
  oval(100, 85, 28, 6, i.light) +
  line('M100 84V70', '#3a332c', 3) +
  path('M100 42c12 14 11 26 0 29-11-3-12-15 0-29z', '#eaa83a') +
  trim(72, 110, 56, i.light, v)

const candlestick: Motif = (i) =>
  path('M66 158c0-10 28-6 28-18v-28h12v28c0 12 28 8 28 18z', i.main) +
  path('M80 100h40l-8 14H88z', i.main) +
  box(90, 54, 20, 46, i.light, 2) +
  path('M100 26c9 11 8 20 0 23-8-3-9-12 0-23z', '#eaa83a')

const stringLights: Motif = (i) => {
  const bulbs = [28, 54, 84, 116, 146, 172].map((x, n) => {
    const y = 74 + Math.round(26 * Math.sin((n * Math.PI) / 5))
    return box(x - 4, y, 8, 8, i.dark, 1) + path(`M${x} ${y + 36}c-16-8-10-24-6-28h12c4 4 10 20-6 28z`, n % 2 === 0 ? i.main : i.touch)
  })
  return line('M14 64c50 48 122 48 172 0', i.dark, 3) + bulbs.join('')
}

const clock: Motif = (i, v) =>
  disc(100, 104, 56, i.main) +
  disc(100, 104, 44, i.light) +
  [0, 90, 180, 270].map((turn) => `<g transform="rotate(${turn} 100 104)">${box(98, 64, 4, 9, i.dark)}</g>`).join('') +
  line('M100 104V78M100 104l18 12', i.dark, 4) +
  disc(100, 104, 5, i.touch) +
  (v === 2 ? disc(100, 38, 9, i.touch) : '')

const mirror: Motif = (i, v) =>
  (v === 0
    ? oval(100, 100, 46, 58, i.main) + oval(100, 100, 37, 49, '#dbe6e6')
    : disc(100, 104, 56, i.main) + disc(100, 104, 46, '#dbe6e6')) + line('M84 112l24-34M96 122l24-34', '#f7fbfa', 5)

const chair: Motif = (i) =>
  line('M66 158l6-56M134 158l-6-56M70 104L62 44M130 104l8-60', i.dark, 6) +
  box(62, 44, 76, 12, i.main, 4) +
  box(65, 64, 70, 10, i.main, 4) +
  box(58, 98, 84, 14, i.main, 5) +
  line('M68 132h64', i.dark, 5)

const drawers: Motif = (i) =>
  box(52, 50, 96, 108, i.main, 4) + [58, 92, 126].map((y) => box(60, y, 80, 26, i.light, 2) + disc(100, y + 13, 4, i.dark)).join('')

export const home = {
  mug,
  cup,
  bowl,
  plate,
  teapot,
  vase,
  jug,
  jar,
  bottle,
  hotWaterBottle,
  glass,
  tableLamp,
  pendant,
  lantern,
  floorLamp,
  readingLight,
  candle,
  candlestick,
  stringLights,
  clock,
  mirror,
  chair,
  drawers,
}
