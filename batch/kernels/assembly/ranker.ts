import { dot, sumOf } from './lanes'

/** Hidden units, as in ../../ranker/parameters.ts: 8 vectors. */
const ROW: usize = 32 * 4

/** Gradients of this size move nothing: most candidates are clearly not taken. */
const LEAST_SLOPE: f32 = 1e-4

/**
 * The listwise softmax loss's gradient, summed over each part's examples.
 * @param scratch standardised rows, hidden rows and scores of one example: see `gradients` in ../gradients.ts; zero at first
 * @param parameters w0 features × 32, b0 32, w1 32, skip features rounded up to 4; `gradient` the same for each part
 * @param x rows of all examples of the batch; `firstRow` says where each one's begin, `firstTaken` where its taken rows are listed
 * @param report (Σ exp(score - most), mean of the taken rows' score - most) f32 an example
 */
export function rankerGradients(
  scratch: usize,
  parameters: usize,
  mean: usize,
  inverse: usize,
  x: usize,
  firstRow: usize,
  firstTaken: usize,
  taken: usize,
  features: i32,
  mostRows: i32,
  examples: i32,
  partExamples: i32,
  gradient: usize,
  report: usize,
  from: i32,
  to: i32,
): void {
  const padded = (<usize>features + 3) & ~3
  const size = <usize>features * ROW + 2 * ROW + (padded << 2)
  for (let part = from; part < to; part++) {
    const own = gradient + <usize>part * size
    memory.fill(own, 0, size)
    const end = min<i32>(examples, (part + 1) * partExamples)
    for (let e = part * partExamples; e < end; e++) {
      const at = (<usize>e) << 2
      const row = load<u32>(firstRow + at)
      const t = load<u32>(firstTaken + at)
      addExample(
        scratch,
        parameters,
        mean,
        inverse,
        x + <usize>row * ((<usize>features) << 2),
        <i32>(load<u32>(firstRow + at, 4) - row),
        taken + ((<usize>t) << 2),
        <i32>(load<u32>(firstTaken + at, 4) - t),
        features,
        mostRows,
        own,
        report + 2 * at,
      )
    }
  }
}

function addExample(
  scratch: usize,
  parameters: usize,
  mean: usize,
  inverse: usize,
  x: usize,
  rows: i32,
  taken: usize,
  takenCount: i32,
  features: i32,
  mostRows: i32,
  gradient: usize,
  report: usize,
): void {
  const stride = ((<usize>features + 3) & ~3) << 2
  const hidden = scratch + <usize>mostRows * stride
  const score = hidden + <usize>mostRows * ROW
  const skip = parameters + <usize>features * ROW + 2 * ROW
  let most: f32 = -f32.MAX_VALUE
  for (let r = 0; r < rows; r++) {
    const own = scratch + <usize>r * stride
    standardise(x + <usize>r * ((<usize>features) << 2), mean, inverse, own, features)
    const y = dot(own, skip, features) + forward(own, parameters, hidden + <usize>r * ROW, features)
    store<f32>(score + ((<usize>r) << 2), y)
    most = max<f32>(most, y)
  }
  let takenScore: f32 = 0
  for (let i = 0; i < takenCount; i++) takenScore += load<f32>(score + ((<usize>load<u32>(taken + ((<usize>i) << 2))) << 2)) - most
  const sum = exponentials(score, rows, most)
  store<f32>(report, sum)
  store<f32>(report, takenScore / <f32>takenCount, 4)
  const share: f32 = 1 / <f32>takenCount
  for (let r = 0; r < rows; r++) {
    const at = score + ((<usize>r) << 2)
    store<f32>(at, load<f32>(at) / sum)
  }
  for (let i = 0; i < takenCount; i++) {
    const at = score + ((<usize>load<u32>(taken + ((<usize>i) << 2))) << 2)
    store<f32>(at, load<f32>(at) - share)
  }
  let active = 0
  for (let r = 0; r < rows; r++) {
    const slope = load<f32>(score + ((<usize>r) << 2))
    if (abs<f32>(slope) < LEAST_SLOPE) continue
    // Rows that move something are moved together: the last step then reads them in one go.
    const own = scratch + <usize>active * stride
    if (active != r) memory.copy(own, scratch + <usize>r * stride, stride)
    backward(slope, hidden + <usize>r * ROW, hidden + <usize>active * ROW, own, parameters, gradient, features)
    active++
  }
  for (let f = 0; f < features; f++) addInput(scratch, stride, hidden, active, f, gradient)
}

function standardise(x: usize, mean: usize, inverse: usize, out: usize, features: i32): void {
  let f: usize = 0
  const end = (<usize>features) << 2
  for (; f + 16 <= end; f += 16) v128.store(out + f, f32x4.mul(f32x4.sub(v128.load(x + f), v128.load(mean + f)), v128.load(inverse + f)))
  for (; f < end; f += 4) store<f32>(out + f, (load<f32>(x + f) - load<f32>(mean + f)) * load<f32>(inverse + f))
}

/** relu(x·W0 + b0) to `out`. @returns it · w1 */
function forward(x: usize, parameters: usize, out: usize, features: i32): f32 {
  const bias = parameters + <usize>features * ROW
  let a = v128.load(bias)
  let b = v128.load(bias, 16)
  let c = v128.load(bias, 32)
  let d = v128.load(bias, 48)
  let e = v128.load(bias, 64)
  let g = v128.load(bias, 80)
  let h = v128.load(bias, 96)
  let i = v128.load(bias, 112)
  for (let w = parameters; w < bias; w += ROW) {
    const value = v128.load32_splat(x)
    a = f32x4.add(a, f32x4.mul(value, v128.load(w)))
    b = f32x4.add(b, f32x4.mul(value, v128.load(w, 16)))
    c = f32x4.add(c, f32x4.mul(value, v128.load(w, 32)))
    d = f32x4.add(d, f32x4.mul(value, v128.load(w, 48)))
    e = f32x4.add(e, f32x4.mul(value, v128.load(w, 64)))
    g = f32x4.add(g, f32x4.mul(value, v128.load(w, 80)))
    h = f32x4.add(h, f32x4.mul(value, v128.load(w, 96)))
    i = f32x4.add(i, f32x4.mul(value, v128.load(w, 112)))
    x += 4
  }
  const zero = f32x4.splat(0)
  a = f32x4.max(a, zero)
  b = f32x4.max(b, zero)
  c = f32x4.max(c, zero)
  d = f32x4.max(d, zero)
  e = f32x4.max(e, zero)
  g = f32x4.max(g, zero)
  h = f32x4.max(h, zero)
  i = f32x4.max(i, zero)
  v128.store(out, a)
  v128.store(out, b, 16)
  v128.store(out, c, 32)
  v128.store(out, d, 48)
  v128.store(out, e, 64)
  v128.store(out, g, 80)
  v128.store(out, h, 96)
  v128.store(out, i, 112)
  const w1 = bias + ROW
  const one = f32x4.add(f32x4.mul(a, v128.load(w1)), f32x4.mul(b, v128.load(w1, 16)))
  const two = f32x4.add(f32x4.mul(c, v128.load(w1, 32)), f32x4.mul(d, v128.load(w1, 48)))
  const three = f32x4.add(f32x4.mul(e, v128.load(w1, 64)), f32x4.mul(g, v128.load(w1, 80)))
  const four = f32x4.add(f32x4.mul(h, v128.load(w1, 96)), f32x4.mul(i, v128.load(w1, 112)))
  return sumOf(f32x4.add(f32x4.add(one, two), f32x4.add(three, four)))
}

/** score ← exp(score - most), by 2^n times a polynomial in the rest (Cody & Waite's reduction, Cephes' coefficients). @returns the sum */
function exponentials(score: usize, rows: i32, most: f32): f32 {
  const end = (<usize>rows) << 2
  for (let at: usize = 0; at < end; at += 16) {
    const x = f32x4.max(f32x4.sub(v128.load(score + at), f32x4.splat(most)), f32x4.splat(-87))
    const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)))
    const r = f32x4.sub(f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375))), f32x4.mul(n, f32x4.splat(-2.12194440e-4)))
    let p = f32x4.splat(1.9875691500e-4)
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3))
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3))
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2))
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1))
    p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1))
    p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1))
    const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23)
    v128.store(score + at, f32x4.mul(p, power))
  }
  let sum: f32 = 0
  for (let at: usize = 0; at < end; at += 4) sum += load<f32>(score + at)
  return sum
}

/** What the row's slope does to all but W0; what goes on to W0 is written to `back`. */
function backward(slope: f32, hidden: usize, back: usize, x: usize, parameters: usize, gradient: usize, features: i32): void {
  const s = f32x4.splat(slope)
  const zero = f32x4.splat(0)
  const bias = <usize>features * ROW
  for (let k: usize = 0; k < ROW; k += 16) {
    const value = v128.load(hidden + k)
    const w1 = gradient + bias + ROW + k
    v128.store(w1, f32x4.add(v128.load(w1), f32x4.mul(s, value)))
    const through = v128.and(f32x4.mul(s, v128.load(parameters + bias + ROW + k)), f32x4.gt(value, zero))
    v128.store(back + k, through)
    const b0 = gradient + bias + k
    v128.store(b0, f32x4.add(v128.load(b0), through))
  }
  const skip = gradient + bias + 2 * ROW
  const end = ((<usize>features + 3) & ~3) << 2
  for (let f: usize = 0; f < end; f += 16) v128.store(skip + f, f32x4.add(v128.load(skip + f), f32x4.mul(s, v128.load(x + f))))
}

/** One feature's row of W0: held in registers over all candidates. */
function addInput(x: usize, stride: usize, back: usize, rows: i32, feature: i32, gradient: usize): void {
  const out = gradient + <usize>feature * ROW
  let a = v128.load(out)
  let b = v128.load(out, 16)
  let c = v128.load(out, 32)
  let d = v128.load(out, 48)
  let e = v128.load(out, 64)
  let g = v128.load(out, 80)
  let h = v128.load(out, 96)
  let i = v128.load(out, 112)
  let at = x + ((<usize>feature) << 2)
  for (let r = 0; r < rows; r++) {
    const value = v128.load32_splat(at)
    a = f32x4.add(a, f32x4.mul(value, v128.load(back)))
    b = f32x4.add(b, f32x4.mul(value, v128.load(back, 16)))
    c = f32x4.add(c, f32x4.mul(value, v128.load(back, 32)))
    d = f32x4.add(d, f32x4.mul(value, v128.load(back, 48)))
    e = f32x4.add(e, f32x4.mul(value, v128.load(back, 64)))
    g = f32x4.add(g, f32x4.mul(value, v128.load(back, 80)))
    h = f32x4.add(h, f32x4.mul(value, v128.load(back, 96)))
    i = f32x4.add(i, f32x4.mul(value, v128.load(back, 112)))
    at += stride
    back += ROW
  }
  v128.store(out, a)
  v128.store(out, b, 16)
  v128.store(out, c, 32)
  v128.store(out, d, 48)
  v128.store(out, e, 64)
  v128.store(out, g, 80)
  v128.store(out, h, 96)
  v128.store(out, i, 112)
}
