// Double precision. Dense matrices lie in blocks of 8 columns, the rows of a block one behind the other: a row of a block is
// one cache line, and its 4 vectors stay in registers.

const LINE: usize = 8 * 8

/**
 * Of each part, a block of dense: A·Aᵀ·dense, without Aᵀ·dense ever being written.
 * @param start, index, value of Aᵀ, `count` rows @param rows of A, dense and out
 */
export function squareBlocks(
  _scratch: usize,
  start: usize,
  index: usize,
  value: usize,
  count: i32,
  dense: usize,
  out: usize,
  rows: i32,
  from: i32,
  to: i32,
): void {
  const size = <usize>rows * LINE
  for (let block = from; block < to; block++) {
    const own = out + <usize>block * size
    memory.fill(own, 0, size)
    for (let row = 0; row < count; row++) {
      const at = start + ((<usize>row) << 2)
      const begin = (<usize>load<u32>(at)) << 2
      const end = (<usize>load<u32>(at, 4)) << 2
      throughRow(index + begin, value + begin, end - begin, dense + <usize>block * size, own)
    }
  }
}

function throughRow(index: usize, value: usize, bytes: usize, dense: usize, out: usize): void {
  let a = f64x2.splat(0)
  let b = f64x2.splat(0)
  let c = f64x2.splat(0)
  let d = f64x2.splat(0)
  for (let k: usize = 0; k < bytes; k += 4) {
    const x = f64x2.splat(<f64>load<f32>(value + k))
    const line = dense + <usize>load<u32>(index + k) * LINE
    a = f64x2.add(a, f64x2.mul(x, v128.load(line)))
    b = f64x2.add(b, f64x2.mul(x, v128.load(line, 16)))
    c = f64x2.add(c, f64x2.mul(x, v128.load(line, 32)))
    d = f64x2.add(d, f64x2.mul(x, v128.load(line, 48)))
  }
  for (let k: usize = 0; k < bytes; k += 4) {
    const x = f64x2.splat(<f64>load<f32>(value + k))
    const line = out + <usize>load<u32>(index + k) * LINE
    v128.store(line, f64x2.add(v128.load(line), f64x2.mul(x, a)))
    v128.store(line, f64x2.add(v128.load(line, 16), f64x2.mul(x, b)), 16)
    v128.store(line, f64x2.add(v128.load(line, 32), f64x2.mul(x, c)), 32)
    v128.store(line, f64x2.add(v128.load(line, 48), f64x2.mul(x, d)), 48)
  }
}

/**
 * BᵀB of each part's `partRows` rows, its upper triangle (and what else is in its blocks of 8).
 * @param out width × width a part, row after row
 */
export function crossParts(
  _scratch: usize,
  dense: usize,
  rows: i32,
  width: usize,
  partRows: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const stride = width << 3
  const size = <usize>rows * LINE
  for (let part = from; part < to; part++) {
    const first = part * partRows
    const begin = <usize>first * LINE
    const end = <usize>min<i32>(rows, first + partRows) * LINE
    const own = out + <usize>part * stride * width
    for (let i: usize = 0; i < width; i += 2) {
      const x = dense + (i >> 3) * size + ((i & 7) << 3)
      for (let block = i >> 3; block < width >> 3; block++) {
        twoColumns(x + begin, x + end, dense + block * size + begin, own + i * stride + block * LINE, stride)
      }
    }
  }
}

/** Σ over rows of two neighbouring columns' values × a block's row. */
function twoColumns(x: usize, end: usize, y: usize, out: usize, stride: usize): void {
  let a = f64x2.splat(0)
  let b = f64x2.splat(0)
  let c = f64x2.splat(0)
  let d = f64x2.splat(0)
  let e = f64x2.splat(0)
  let f = f64x2.splat(0)
  let g = f64x2.splat(0)
  let h = f64x2.splat(0)
  for (; x < end; x += LINE) {
    const one = v128.load64_splat(x)
    const two = v128.load64_splat(x, 8)
    const p = v128.load(y)
    const q = v128.load(y, 16)
    const r = v128.load(y, 32)
    const s = v128.load(y, 48)
    a = f64x2.add(a, f64x2.mul(one, p))
    b = f64x2.add(b, f64x2.mul(one, q))
    c = f64x2.add(c, f64x2.mul(one, r))
    d = f64x2.add(d, f64x2.mul(one, s))
    e = f64x2.add(e, f64x2.mul(two, p))
    f = f64x2.add(f, f64x2.mul(two, q))
    g = f64x2.add(g, f64x2.mul(two, r))
    h = f64x2.add(h, f64x2.mul(two, s))
    y += LINE
  }
  v128.store(out, a)
  v128.store(out, b, 16)
  v128.store(out, c, 32)
  v128.store(out, d, 48)
  v128.store(out + stride, e)
  v128.store(out + stride, f, 16)
  v128.store(out + stride, g, 32)
  v128.store(out + stride, h, 48)
}

/** Rows of B ← B × an upper triangular matrix (row after row), in place: the last columns first, as they need all others. */
export function triangularRows(_scratch: usize, dense: usize, rows: i32, width: usize, upper: usize, from: i32, to: i32): void {
  const stride = width << 3
  const size = <usize>rows * LINE
  for (let row = from; row < to; row++) {
    const own = dense + <usize>row * LINE
    for (let block = width >> 3; block > 0; ) {
      block--
      let a = f64x2.splat(0)
      let b = f64x2.splat(0)
      let c = f64x2.splat(0)
      let d = f64x2.splat(0)
      let y = upper + block * LINE
      for (let other: usize = 0; other <= block; other++) {
        const line = own + other * size
        for (let x = line; x < line + LINE; x += 8) {
          const value = v128.load64_splat(x)
          a = f64x2.add(a, f64x2.mul(value, v128.load(y)))
          b = f64x2.add(b, f64x2.mul(value, v128.load(y, 16)))
          c = f64x2.add(c, f64x2.mul(value, v128.load(y, 32)))
          d = f64x2.add(d, f64x2.mul(value, v128.load(y, 48)))
          y += stride
        }
      }
      const line = own + block * size
      v128.store(line, a)
      v128.store(line, b, 16)
      v128.store(line, c, 32)
      v128.store(line, d, 48)
    }
  }
}
