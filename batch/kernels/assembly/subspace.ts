// Double precision. A dense matrix's rows have a multiple of 16 columns: 8 vectors at a time stay in registers.

const STEP: usize = 16 * 8

/** Rows of sparse × dense. */
export function timesRows(
  _scratch: usize,
  start: usize,
  index: usize,
  value: usize,
  dense: usize,
  width: usize,
  out: usize,
  from: i32,
  to: i32,
): void {
  const stride = width << 3
  for (let row = from; row < to; row++) {
    const at = start + ((<usize>row) << 2)
    const begin = (<usize>load<u32>(at)) << 2
    const end = (<usize>load<u32>(at, 4)) << 2
    for (let c: usize = 0; c < stride; c += STEP) {
      timesRow(index + begin, value + begin, end - begin, dense + c, stride, out + <usize>row * stride + c)
    }
  }
}

function timesRow(index: usize, value: usize, bytes: usize, dense: usize, stride: usize, out: usize): void {
  let a = f64x2.splat(0)
  let b = f64x2.splat(0)
  let c = f64x2.splat(0)
  let d = f64x2.splat(0)
  let e = f64x2.splat(0)
  let f = f64x2.splat(0)
  let g = f64x2.splat(0)
  let h = f64x2.splat(0)
  for (let k: usize = 0; k < bytes; k += 4) {
    const x = f64x2.splat(<f64>load<f32>(value + k))
    const row = dense + <usize>load<u32>(index + k) * stride
    a = f64x2.add(a, f64x2.mul(x, v128.load(row)))
    b = f64x2.add(b, f64x2.mul(x, v128.load(row, 16)))
    c = f64x2.add(c, f64x2.mul(x, v128.load(row, 32)))
    d = f64x2.add(d, f64x2.mul(x, v128.load(row, 48)))
    e = f64x2.add(e, f64x2.mul(x, v128.load(row, 64)))
    f = f64x2.add(f, f64x2.mul(x, v128.load(row, 80)))
    g = f64x2.add(g, f64x2.mul(x, v128.load(row, 96)))
    h = f64x2.add(h, f64x2.mul(x, v128.load(row, 112)))
  }
  v128.store(out, a)
  v128.store(out, b, 16)
  v128.store(out, c, 32)
  v128.store(out, d, 48)
  v128.store(out, e, 64)
  v128.store(out, f, 80)
  v128.store(out, g, 96)
  v128.store(out, h, 112)
}

/**
 * BᵀB of each part's `partRows` rows, its upper triangle (and what else is in its blocks of 16).
 * @param out width × width a part
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
  for (let part = from; part < to; part++) {
    const first = part * partRows
    const begin = dense + <usize>first * stride
    const end = dense + <usize>min<i32>(rows, first + partRows) * stride
    const own = out + <usize>part * stride * width
    for (let i: usize = 0; i < stride; i += 8) {
      for (let c = i & ~(STEP - 1); c < stride; c += STEP) {
        sumOfRows(begin + i, end + i, stride, begin + c, stride, own + i * width + c)
      }
    }
  }
}

/** Σ of each x, `step` bytes apart, × 16 columns of the row of y that belongs to it. */
function sumOfRows(x: usize, end: usize, step: usize, y: usize, stride: usize, out: usize): void {
  let a = f64x2.splat(0)
  let b = f64x2.splat(0)
  let c = f64x2.splat(0)
  let d = f64x2.splat(0)
  let e = f64x2.splat(0)
  let f = f64x2.splat(0)
  let g = f64x2.splat(0)
  let h = f64x2.splat(0)
  for (; x < end; x += step) {
    const value = v128.load64_splat(x)
    a = f64x2.add(a, f64x2.mul(value, v128.load(y)))
    b = f64x2.add(b, f64x2.mul(value, v128.load(y, 16)))
    c = f64x2.add(c, f64x2.mul(value, v128.load(y, 32)))
    d = f64x2.add(d, f64x2.mul(value, v128.load(y, 48)))
    e = f64x2.add(e, f64x2.mul(value, v128.load(y, 64)))
    f = f64x2.add(f, f64x2.mul(value, v128.load(y, 80)))
    g = f64x2.add(g, f64x2.mul(value, v128.load(y, 96)))
    h = f64x2.add(h, f64x2.mul(value, v128.load(y, 112)))
    y += stride
  }
  v128.store(out, a)
  v128.store(out, b, 16)
  v128.store(out, c, 32)
  v128.store(out, d, 48)
  v128.store(out, e, 64)
  v128.store(out, f, 80)
  v128.store(out, g, 96)
  v128.store(out, h, 112)
}

/** Rows of B ← B × an upper triangular matrix, in place: the last columns first, as they need all others. */
export function triangularRows(_scratch: usize, dense: usize, width: usize, upper: usize, from: i32, to: i32): void {
  const stride = width << 3
  for (let row = from; row < to; row++) {
    const own = dense + <usize>row * stride
    for (let c = stride; c > 0; ) {
      c -= STEP
      sumOfRows(own, own + c + STEP, 8, upper + c, stride, own + c)
    }
  }
}
