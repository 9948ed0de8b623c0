/**
 * Rows of X' W X, columns ascending.
 * @param scratch items × (sum f32, shared u32), then a bit an item; all zero before and after
 * @param enough u8 an entry: 1 where at least `least` visitors share both items
 * @param start u32 items + 1: with fill = 0 the length of row r is written to start[r + 1], with fill = 1 rows begin at start[r]
 */
export function gramRows(
  scratch: usize,
  visitorStart: usize,
  visitorIndex: usize,
  itemStart: usize,
  itemIndex: usize,
  visitorWeight: usize,
  items: i32,
  least: u32,
  start: usize,
  index: usize,
  value: usize,
  enough: usize,
  fill: i32,
  from: i32,
  to: i32,
): void {
  for (let item = from; item < to; item++) {
    if (fill == 0) {
      const length = lengthOfRow(scratch + ((<usize>items) << 3), visitorStart, visitorIndex, itemStart, itemIndex, items, item)
      store<u32>(start + ((<usize>item) << 2), length, 4)
    } else {
      gramRow(
        scratch, visitorStart, visitorIndex, itemStart, itemIndex, visitorWeight, items, least, start, index, value, enough, item,
      )
    }
  }
}

/** How many items share a visitor with this one: one bit an item stays in the nearest cache, where sums would not. */
function lengthOfRow(
  bits: usize,
  visitorStart: usize,
  visitorIndex: usize,
  itemStart: usize,
  itemIndex: usize,
  items: i32,
  item: i32,
): u32 {
  const visitors = itemIndex + ((<usize>load<u32>(itemStart + ((<usize>item) << 2), 4)) << 2)
  for (let at = itemIndex + ((<usize>load<u32>(itemStart + ((<usize>item) << 2))) << 2); at < visitors; at += 4) {
    const visitor = <usize>load<u32>(at)
    const end = visitorIndex + ((<usize>load<u32>(visitorStart + (visitor << 2), 4)) << 2)
    for (let k = visitorIndex + ((<usize>load<u32>(visitorStart + (visitor << 2))) << 2); k < end; k += 4) {
      const other = load<u32>(k)
      const word = bits + ((<usize>(other >> 5)) << 2)
      store<u32>(word, load<u32>(word) | (1 << (other & 31)))
    }
  }
  let length: u32 = 0
  const end = bits + (((<usize>(items + 31)) >> 5) << 2)
  for (let word = bits; word < end; word += 4) {
    length += popcnt<u32>(load<u32>(word))
    store<u32>(word, 0)
  }
  return length
}

function gramRow(
  scratch: usize,
  visitorStart: usize,
  visitorIndex: usize,
  itemStart: usize,
  itemIndex: usize,
  visitorWeight: usize,
  items: i32,
  least: u32,
  start: usize,
  index: usize,
  value: usize,
  enough: usize,
  item: i32,
): void {
  const bits = scratch + ((<usize>items) << 3)
  const visitors = itemIndex + ((<usize>load<u32>(itemStart + ((<usize>item) << 2), 4)) << 2)
  for (let at = itemIndex + ((<usize>load<u32>(itemStart + ((<usize>item) << 2))) << 2); at < visitors; at += 4) {
    const visitor = <usize>load<u32>(at)
    const weight = load<f64>(visitorWeight + (visitor << 3))
    const end = visitorIndex + ((<usize>load<u32>(visitorStart + (visitor << 2), 4)) << 2)
    for (let k = visitorIndex + ((<usize>load<u32>(visitorStart + (visitor << 2))) << 2); k < end; k += 4) {
      const other = <usize>load<u32>(k)
      const cell = scratch + (other << 3)
      const shared = load<u32>(cell, 4)
      if (shared == 0) {
        const word = bits + ((other >> 5) << 2)
        store<u32>(word, load<u32>(word) | (1 << (<u32>other & 31)))
      }
      store<f32>(cell, <f32>(<f64>load<f32>(cell) + weight))
      store<u32>(cell, shared + 1, 4)
    }
  }
  const begin = load<u32>(start + ((<usize>item) << 2))
  let length: u32 = 0
  const words = (items + 31) >> 5
  for (let w = 0; w < words; w++) {
    const word = bits + ((<usize>w) << 2)
    let left = load<u32>(word)
    if (left == 0) continue
    store<u32>(word, 0)
    while (left != 0) {
      const other = (w << 5) + <i32>ctz(left)
      left &= left - 1
      const cell = scratch + ((<usize>other) << 3)
      const entry = <usize>(begin + length)
      store<u32>(index + (entry << 2), <u32>other)
      store<f32>(value + (entry << 2), load<f32>(cell))
      store<u8>(enough + entry, load<u32>(cell, 4) >= least ? 1 : 0)
      length++
      store<u64>(cell, 0)
    }
  }
}
