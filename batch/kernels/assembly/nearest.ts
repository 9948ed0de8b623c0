import { dot } from './lanes'

/**
 * Of each target, the others with the largest cosine × factor above 0, best first, ties by item.
 * @param vectors rows of `width` floats, a multiple of 4, at unit length
 * @param targets u32 a part @param others u32, ascending
 * @param factor, least f32 an item: what a cosine is multiplied by, and the least that counts
 * @param outItem, outValue `most` a target
 */
export function nearestRows(
  _scratch: usize,
  vectors: usize,
  width: i32,
  targets: usize,
  others: usize,
  count: i32,
  factor: usize,
  least: usize,
  most: i32,
  outCount: usize,
  outItem: usize,
  outValue: usize,
  from: i32,
  to: i32,
): void {
  const stride = (<usize>width) << 2
  const end = others + ((<usize>count) << 2)
  for (let target = from; target < to; target++) {
    const own = vectors + <usize>load<u32>(targets + ((<usize>target) << 2)) * stride
    const row = ((<usize>target) * <usize>most) << 2
    const items = outItem + row
    const values = outValue + row
    let n: i32 = 0
    let worst: f32 = 0
    for (let at = others; at < end; at += 4) {
      const other = load<u32>(at)
      const cosine = dot(own, vectors + <usize>other * stride, width)
      const value = cosine * load<f32>(factor + ((<usize>other) << 2))
      if (!(value > worst) || cosine < load<f32>(least + ((<usize>other) << 2))) continue
      if (n < most) rise(values, items, n++, value, other)
      else sink(values, items, n, value, other)
      if (n == most) worst = load<f32>(values)
    }
    store<u32>(outCount + ((<usize>target) << 2), <u32>n)
    while (n > 1) {
      n--
      const value = load<f32>(values + ((<usize>n) << 2))
      const item = load<u32>(items + ((<usize>n) << 2))
      put(values, items, n, load<f32>(values), load<u32>(items))
      sink(values, items, n, value, item)
    }
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
