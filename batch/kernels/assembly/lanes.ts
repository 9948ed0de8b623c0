/** Of each vector the sum of its lanes. */
// @ts-ignore: decorator
@inline
export function sum4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7))
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7))
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7))
}

// @ts-ignore: decorator
@inline
export function sumOf(a: v128): f32 {
  const half = f32x4.add(a, v128.shuffle<f32>(a, a, 2, 3, 0, 1))
  return f32x4.extract_lane(half, 0) + f32x4.extract_lane(half, 1)
}

/** Over the first n, rounded up to a multiple of 4. */
// @ts-ignore: decorator
@inline
export function dot(x: usize, y: usize, n: i32): f32 {
  let sum = f32x4.splat(0)
  const end = (<usize>((n + 3) & ~3)) << 2
  for (let k: usize = 0; k < end; k += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(x + k), v128.load(y + k)))
  return sumOf(sum)
}

/** Products of four rows with one. */
// @ts-ignore: decorator
@inline
export function fourDots(a: usize, b: usize, c: usize, d: usize, y: usize, bytes: usize): v128 {
  let p = f32x4.splat(0)
  let q = f32x4.splat(0)
  let r = f32x4.splat(0)
  let s = f32x4.splat(0)
  for (let k: usize = 0; k < bytes; k += 16) {
    const other = v128.load(y + k)
    p = f32x4.add(p, f32x4.mul(v128.load(a + k), other))
    q = f32x4.add(q, f32x4.mul(v128.load(b + k), other))
    r = f32x4.add(r, f32x4.mul(v128.load(c + k), other))
    s = f32x4.add(s, f32x4.mul(v128.load(d + k), other))
  }
  return sum4(p, q, r, s)
}
