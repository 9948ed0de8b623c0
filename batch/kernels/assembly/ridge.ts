import { dot, sum4 } from './lanes'

/**
 * Ridge weights of each target's nearest sources by cosine, of those that `enough` visitors share with it.
 * @param scratch heap of `support` (cosine f64), items and ranks and places (u32 each), right-hand side and inverse diagonal,
 * the matrix: see `ridgeScratch` in ../ridge.ts; places are zero before and after
 * @param rank u32 an item: 1 + its row in the dense block, 0 = in none
 * @param outIndex support u32 a target: the sources with positive weight, ascending
 */
export function ridgeRows(
  scratch: usize,
  start: usize,
  index: usize,
  value: usize,
  enough: usize,
  diagonal: usize,
  rank: usize,
  dense: usize,
  width: usize,
  support: i32,
  base: f64,
  scale: f64,
  outCount: usize,
  outIndex: usize,
  outWeight: usize,
  from: i32,
  to: i32,
): void {
  const padded = (<usize>support + 3) & ~3
  const cosine = scratch
  const source = cosine + (padded << 3)
  const ranks = source + (padded << 2)
  const right = ranks + (padded << 2)
  const inverse = right + (padded << 2)
  const matrix = inverse + (padded << 2)
  const place = matrix + ((padded * padded) << 2)
  for (let target = from; target < to; target++) {
    const n = nearest(start, index, value, enough, diagonal, place, cosine, source, target, support)
    if (n == 0) {
      store<u32>(outCount + ((<usize>target) << 2), 0)
      continue
    }
    const rows = (n + 3) & ~3
    const stride = (<usize>rows) << 2
    memory.fill(matrix, 0, stride * rows)
    memory.fill(right, 0, stride)
    arrange(start, index, value, rank, place, source, ranks, right, target)
    gather(start, index, value, rank, dense, width, place, source, ranks, matrix, stride, n)
    for (let i = 0; i < rows; i++) {
      const at = (<usize>i) << 2
      const item = (<usize>load<u32>(source + at)) << 2
      store<f32>(inverse + at, i < n ? <f32>(<f64>load<f32>(diagonal + item) * (1.0 + scale) + base) : 1)
    }
    for (let i = 0; i < rows; i += 4) factorRows(matrix, stride, inverse, i)
    solve(matrix, stride, right, inverse, n)
    let count: u32 = 0
    const out = <usize>target * <usize>support
    for (let i = 0; i < n; i++) {
      const item = load<u32>(source + ((<usize>i) << 2))
      store<u32>(place + ((<usize>item) << 2), 0)
      const weight = load<f32>(right + ((<usize>i) << 2))
      if (!(weight > 0)) continue
      store<u32>(outIndex + ((out + count) << 2), item)
      store<f32>(outWeight + ((out + count) << 2), weight)
      count++
    }
    store<u32>(outCount + ((<usize>target) << 2), count)
  }
}

/** Marks the places of the nearest by cosine, ties by item. @returns how many */
function nearest(
  start: usize,
  index: usize,
  value: usize,
  enough: usize,
  diagonal: usize,
  place: usize,
  cosine: usize,
  heap: usize,
  target: i32,
  support: i32,
): i32 {
  let n: i32 = 0
  const own = <f64>load<f32>(diagonal + ((<usize>target) << 2))
  const end = load<u32>(start + ((<usize>target) << 2), 4)
  for (let k = load<u32>(start + ((<usize>target) << 2)); k < end; k++) {
    const item = load<u32>(index + ((<usize>k) << 2))
    if (item == <u32>target || load<u8>(enough + <usize>k) == 0) continue
    const near = <f64>load<f32>(value + ((<usize>k) << 2)) / Math.sqrt(<f64>load<f32>(diagonal + ((<usize>item) << 2)) * own)
    if (n < support) {
      let at = n++
      while (at > 0) {
        const parent = (at - 1) >> 1
        const held = load<f64>(cosine + ((<usize>parent) << 3))
        const other = load<u32>(heap + ((<usize>parent) << 2))
        if (held < near || (held == near && other > item)) break
        put(cosine, heap, at, held, other)
        at = parent
      }
      put(cosine, heap, at, near, item)
    } else if (near > load<f64>(cosine)) sink(cosine, heap, n, near, item)
  }
  for (let i = 0; i < n; i++) store<u32>(place + ((<usize>load<u32>(heap + ((<usize>i) << 2))) << 2), 1)
  return n
}

// @ts-ignore: decorator
@inline
function put(cosine: usize, heap: usize, at: i32, near: f64, item: u32): void {
  store<f64>(cosine + ((<usize>at) << 3), near)
  store<u32>(heap + ((<usize>at) << 2), item)
}

/** Puts an item in the place of the root, the furthest one (of equal ones that with the largest index). */
function sink(cosine: usize, heap: usize, n: i32, near: f64, item: u32): void {
  let at = 0
  while (true) {
    let child = 2 * at + 1
    if (child >= n) break
    let far = load<f64>(cosine + ((<usize>child) << 3))
    let other = load<u32>(heap + ((<usize>child) << 2))
    if (child + 1 < n) {
      const far2 = load<f64>(cosine + ((<usize>child) << 3), 8)
      const other2 = load<u32>(heap + ((<usize>child) << 2), 4)
      if (far2 < far || (far2 == far && other2 > other)) {
        child++
        far = far2
        other = other2
      }
    }
    if (near < far || (near == far && item > other)) break
    put(cosine, heap, at, far, other)
    at = child
  }
  put(cosine, heap, at, near, item)
}

/** The marked items in ascending order, each one's place + 1, its rank and its share with the target. */
function arrange(
  start: usize,
  index: usize,
  value: usize,
  rank: usize,
  place: usize,
  source: usize,
  ranks: usize,
  right: usize,
  target: i32,
): void {
  let n: u32 = 0
  const end = load<u32>(start + ((<usize>target) << 2), 4)
  for (let k = load<u32>(start + ((<usize>target) << 2)); k < end; k++) {
    const item = load<u32>(index + ((<usize>k) << 2))
    if (load<u32>(place + ((<usize>item) << 2)) == 0) continue
    const at = (<usize>n) << 2
    store<u32>(source + at, item)
    store<u32>(ranks + at, load<u32>(rank + ((<usize>item) << 2)))
    store<f32>(right + at, load<f32>(value + ((<usize>k) << 2)))
    store<u32>(place + ((<usize>item) << 2), ++n)
  }
}

/** The matrix below its diagonal: pairs of the dense block from there, others by going along the rarer one's row. */
function gather(
  start: usize,
  index: usize,
  value: usize,
  rank: usize,
  dense: usize,
  width: usize,
  place: usize,
  source: usize,
  ranks: usize,
  matrix: usize,
  stride: usize,
  n: i32,
): void {
  for (let i = 0; i < n; i++) {
    const row = matrix + <usize>i * stride
    const own = load<u32>(ranks + ((<usize>i) << 2))
    if (own != 0) {
      const block = dense + ((<usize>(own - 1) * width) << 2)
      for (let j = 0; j < i; j++) {
        const other = load<u32>(ranks + ((<usize>j) << 2))
        if (other != 0) store<f32>(row + ((<usize>j) << 2), load<f32>(block + ((<usize>(other - 1)) << 2)))
      }
      continue
    }
    const item = load<u32>(source + ((<usize>i) << 2))
    const end = (<usize>load<u32>(start + ((<usize>item) << 2), 4)) << 2
    for (let k = (<usize>load<u32>(start + ((<usize>item) << 2))) << 2; k < end; k += 4) {
      const j = <i32>load<u32>(place + ((<usize>load<u32>(index + k)) << 2)) - 1
      if (j < 0 || j == i) continue
      const cell = j < i ? row + ((<usize>j) << 2) : matrix + <usize>j * stride + ((<usize>i) << 2)
      store<f32>(cell, load<f32>(value + k))
    }
  }
}

/**
 * Rows i … i + 3 of the Cholesky factor. The diagonal lies apart: `inverse` holds it before and one over the factor's
 * after; in the matrix it and all above are zero, which lets every dot product run on to a multiple of 4.
 */
function factorRows(matrix: usize, stride: usize, inverse: usize, i: i32): void {
  const r0 = matrix + <usize>i * stride
  const r1 = r0 + stride
  const r2 = r1 + stride
  const r3 = r2 + stride
  let row = matrix
  for (let j = 0; j < i; j++) {
    let a = f32x4.splat(0)
    let b = f32x4.splat(0)
    let c = f32x4.splat(0)
    let d = f32x4.splat(0)
    const end = (<usize>((j + 3) & ~3)) << 2
    for (let k: usize = 0; k < end; k += 16) {
      const x = v128.load(row + k)
      a = f32x4.add(a, f32x4.mul(x, v128.load(r0 + k)))
      b = f32x4.add(b, f32x4.mul(x, v128.load(r1 + k)))
      c = f32x4.add(c, f32x4.mul(x, v128.load(r2 + k)))
      d = f32x4.add(d, f32x4.mul(x, v128.load(r3 + k)))
    }
    const at = (<usize>j) << 2
    let held = f32x4.splat(load<f32>(r0 + at))
    held = f32x4.replace_lane(held, 1, load<f32>(r1 + at))
    held = f32x4.replace_lane(held, 2, load<f32>(r2 + at))
    held = f32x4.replace_lane(held, 3, load<f32>(r3 + at))
    const done = f32x4.mul(f32x4.sub(held, sum4(a, b, c, d)), v128.load32_splat(inverse + at))
    v128.store_lane<f32>(r0 + at, done, 0)
    v128.store_lane<f32>(r1 + at, done, 1)
    v128.store_lane<f32>(r2 + at, done, 2)
    v128.store_lane<f32>(r3 + at, done, 3)
    row += stride
  }
  for (let p = i; p < i + 4; p++) {
    const own = matrix + <usize>p * stride
    for (let j = i; j < p; j++) {
      const at = (<usize>j) << 2
      const rest = load<f32>(own + at) - dot(own, matrix + <usize>j * stride, j)
      store<f32>(own + at, rest * load<f32>(inverse + at))
    }
    const at = inverse + ((<usize>p) << 2)
    store<f32>(at, 1 / sqrt<f32>(max<f32>(load<f32>(at) - dot(own, own, p), 1e-9)))
  }
}

/** Forward and backward substitution, in place. */
function solve(matrix: usize, stride: usize, right: usize, inverse: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 2
    store<f32>(right + at, (load<f32>(right + at) - dot(matrix + <usize>i * stride, right, i)) * load<f32>(inverse + at))
  }
  for (let i = n - 1; i >= 0; i--) {
    const at = (<usize>i) << 2
    const weight = load<f32>(right + at) * load<f32>(inverse + at)
    store<f32>(right + at, weight)
    const row = matrix + <usize>i * stride
    const w = f32x4.splat(weight)
    const end = (<usize>((i + 3) & ~3)) << 2
    for (let k: usize = 0; k < end; k += 16) {
      v128.store(right + k, f32x4.sub(v128.load(right + k), f32x4.mul(w, v128.load(row + k))))
    }
  }
}
