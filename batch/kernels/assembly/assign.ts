import { dot, fourDots } from './lanes'

/**
 * Each row's distance to the centroids so far, 1 - cosine, where one more is nearer: not below 0.
 * @param vectors rows of `width` floats, a multiple of 4, and `centroid` one such row
 * @param distance f32 a row
 */
export function approachRows(_scratch: usize, vectors: usize, width: i32, centroid: usize, distance: usize, from: i32, to: i32): void {
  const stride = (<usize>width) << 2
  for (let row = from; row < to; row++) {
    const at = distance + ((<usize>row) << 2)
    const own: f32 = 1 - dot(vectors + <usize>row * stride, centroid, width)
    store<f32>(at, min<f32>(load<f32>(at), max<f32>(own, 0)))
  }
}

/**
 * Of each row the nearest centroid by cosine, the first of equal ones.
 * @param vectors, centroids rows of `width` floats, a multiple of 4
 * @param out u32 a row
 */
export function assignRows(
  _scratch: usize,
  vectors: usize,
  width: i32,
  centroids: usize,
  count: i32,
  out: usize,
  from: i32,
  to: i32,
): void {
  const stride = (<usize>width) << 2
  const end = centroids + <usize>count * stride
  for (let row = from; row < to; row++) {
    const own = vectors + <usize>row * stride
    let most: f32 = -f32.MAX_VALUE
    let best: u32 = 0
    let c: u32 = 0
    let at = centroids
    for (; at + 4 * stride <= end; at += 4 * stride) {
      const cosines = fourDots(at, at + stride, at + 2 * stride, at + 3 * stride, own, stride)
      const nearer = i32x4.bitmask(f32x4.gt(cosines, f32x4.splat(most)))
      if (nearer !== 0) {
        if (f32x4.extract_lane(cosines, 0) > most) {
          most = f32x4.extract_lane(cosines, 0)
          best = c
        }
        if (f32x4.extract_lane(cosines, 1) > most) {
          most = f32x4.extract_lane(cosines, 1)
          best = c + 1
        }
        if (f32x4.extract_lane(cosines, 2) > most) {
          most = f32x4.extract_lane(cosines, 2)
          best = c + 2
        }
        if (f32x4.extract_lane(cosines, 3) > most) {
          most = f32x4.extract_lane(cosines, 3)
          best = c + 3
        }
      }
      c += 4
    }
    for (; at < end; at += stride) {
      const cosine = dot(own, at, width)
      if (cosine > most) {
        most = cosine
        best = c
      }
      c++
    }
    store<u32>(out + ((<usize>row) << 2), best)
  }
}
