import { fourDots } from './lanes'

/** Targets that go through the others together: each of those is read once for all four. */
const LANES = 4
/** In a thread's scratch memory, by lane: the worst value kept once there are enough, how many are kept, and a value on offer. */
const WORST: usize = 0
const KEPT: usize = 16
const OFFERED: usize = 32
/** Rows of unit length have cosines up to 1, and a little beyond by rounding. */
const MOST_COSINE: f32 = 1.0001

/**
 * Of each target, the others with the largest cosine × factor above 0, best first, ties by item.
 * @param scratch 48 bytes
 * @param vectors rows of `width` floats, a multiple of 4, at unit length
 * @param targets u32 a part @param others u32, those with the largest factor first
 * @param factor, least f32 an item: what a cosine is multiplied by, and the least that counts
 * @param barredStart, barred by target the others that may not be its answer, ascending
 * @param outCount, outItem, outValue `most` a target
 */
export function nearestRows(
  scratch: usize,
  vectors: usize,
  width: i32,
  targets: usize,
  others: usize,
  count: i32,
  factor: usize,
  least: usize,
  barredStart: usize,
  barred: usize,
  most: i32,
  outCount: usize,
  outItem: usize,
  outValue: usize,
  from: i32,
  to: i32,
): void {
  const stride = (<usize>width) << 2
  const end = others + ((<usize>count) << 2)
  for (let first = from; first < to; first += LANES) {
    const lanes = min<i32>(LANES, to - first)
    memory.fill(scratch, 0, 48)
    const a = rowOf(vectors, stride, targets, first)
    const b = rowOf(vectors, stride, targets, first + min<i32>(1, lanes - 1))
    const c = rowOf(vectors, stride, targets, first + min<i32>(2, lanes - 1))
    const d = rowOf(vectors, stride, targets, first + min<i32>(3, lanes - 1))
    for (let at = others; at < end; at += 4) {
      const other = load<u32>(at)
      const scale = v128.load32_splat(factor + ((<usize>other) << 2))
      const worst = v128.load(scratch, WORST)
      // Neither it nor any that follows can be among the best.
      if (v128.all_true<i32>(f32x4.lt(f32x4.mul(scale, f32x4.splat(MOST_COSINE)), worst))) break
      const cosines = fourDots(a, b, c, d, vectors + <usize>other * stride, stride)
      const values = f32x4.mul(cosines, scale)
      const wanted = v128.and(
        v128.and(f32x4.ge(values, worst), f32x4.gt(values, f32x4.splat(0))),
        f32x4.ge(cosines, v128.load32_splat(least + ((<usize>other) << 2))),
      )
      if (!v128.any_true(wanted)) continue
      v128.store(scratch, values, OFFERED)
      const mask = i32x4.bitmask(wanted)
      for (let lane = 0; lane < lanes; lane++) {
        if ((mask >> lane) & 1) offer(scratch + ((<usize>lane) << 2), other, barredStart, barred, first + lane, most, outItem, outValue)
      }
    }
    for (let lane = 0; lane < lanes; lane++) {
      const n = load<u32>(scratch + KEPT + ((<usize>lane) << 2))
      store<u32>(outCount + ((<usize>(first + lane)) << 2), n)
      const row = ((<usize>(first + lane)) * <usize>most) << 2
      sort(outValue + row, outItem + row, <i32>n)
    }
  }
}

// @ts-ignore: decorator
@inline
function rowOf(vectors: usize, stride: usize, targets: usize, target: i32): usize {
  return vectors + <usize>load<u32>(targets + ((<usize>target) << 2)) * stride
}

/** Keeps what is on offer in a lane, unless it is barred. @param state of the lane: see WORST */
function offer(state: usize, item: u32, barredStart: usize, barred: usize, target: i32, most: i32, outItem: usize, outValue: usize): void {
  const at = barredStart + ((<usize>target) << 2)
  if (has(barred, load<u32>(at), load<u32>(at, 4), item)) return
  const row = ((<usize>target) * <usize>most) << 2
  const value = load<f32>(state, OFFERED)
  const n = load<i32>(state, KEPT)
  if (n < most) {
    rise(outValue + row, outItem + row, n, value, item)
    store<i32>(state, n + 1, KEPT)
  } else if (worse(load<f32>(outValue + row), load<u32>(outItem + row), value, item)) sink(outValue + row, outItem + row, n, value, item)
  if (n + 1 >= most) store<f32>(state, load<f32>(outValue + row), WORST)
}

/** Whether an ascending list, from one place to another, has the item. */
function has(list: usize, from: u32, to: u32, item: u32): bool {
  while (from < to) {
    const middle = (from + to) >> 1
    const held = load<u32>(list + ((<usize>middle) << 2))
    if (held == item) return true
    if (held < item) from = middle + 1
    else to = middle
  }
  return false
}

/** A heap of n, whose root is the worst, to a row: best first. */
function sort(values: usize, items: usize, n: i32): void {
  while (n > 1) {
    n--
    const value = load<f32>(values + ((<usize>n) << 2))
    const item = load<u32>(items + ((<usize>n) << 2))
    put(values, items, n, load<f32>(values), load<u32>(items))
    sink(values, items, n, value, item)
  }
}

// @ts-ignore: decorator
@inline
function put(values: usize, items: usize, at: i32, value: f32, item: u32): void {
  store<f32>(values + ((<usize>at) << 2), value)
  store<u32>(items + ((<usize>at) << 2), item)
}

// @ts-ignore: decorator
@inline
function worse(a: f32, x: u32, b: f32, y: u32): bool {
  return a < b || (a == b && x > y)
}

/** Adds to a heap whose root is the worst. */
function rise(values: usize, items: usize, n: i32, value: f32, item: u32): void {
  let at = n
  while (at > 0) {
    const parent = (at - 1) >> 1
    const held = load<f32>(values + ((<usize>parent) << 2))
    const other = load<u32>(items + ((<usize>parent) << 2))
    if (!worse(value, item, held, other)) break
    put(values, items, at, held, other)
    at = parent
  }
  put(values, items, at, value, item)
}

/** Puts an item in the place of the root. */
function sink(values: usize, items: usize, n: i32, value: f32, item: u32): void {
  let at = 0
  while (true) {
    let child = 2 * at + 1
    if (child >= n) break
    let held = load<f32>(values + ((<usize>child) << 2))
    let other = load<u32>(items + ((<usize>child) << 2))
    if (child + 1 < n) {
      const held2 = load<f32>(values + ((<usize>child) << 2), 4)
      const other2 = load<u32>(items + ((<usize>child) << 2), 4)
      if (worse(held2, other2, held, other)) {
        child++
        held = held2
        other = other2
      }
    }
    if (!worse(held, other, value, item)) break
    put(values, items, at, held, other)
    at = child
  }
  put(values, items, at, value, item)
}
