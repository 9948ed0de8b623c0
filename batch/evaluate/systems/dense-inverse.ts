/** Rows and columns worked on at once, and how far along them: tiles of this size stay in a core's own cache. */
const BLOCK = 64
const REACH = 256

/**
 * Inverts a symmetric positive-definite matrix in place by Cholesky decomposition (Golub & Van Loan 2013, 4.2), with
 * A⁻¹ = L⁻ᵀL⁻¹. Only the lower triangle is read. Every step is written as dot products of two rows, so that the long loops run
 * along memory: L grows below the diagonal, L⁻ᵀ above it, 1 / L_ii on it, and A⁻¹ then replaces L.
 * @param a n × n, row by row @throws RangeError when it is not positive definite
 */
export function invertSymmetric(a: Float32Array, n: number): void {
  const tile = new Float64Array(BLOCK * BLOCK)
  for (let i0 = 0; i0 < n; i0 += BLOCK) for (let j0 = 0; j0 <= i0; j0 += BLOCK) decompose(a, n, i0, j0, tile)
  for (let j0 = 0; j0 < n; j0 += BLOCK) for (let i0 = j0; i0 < n; i0 += BLOCK) invertFactor(a, n, i0, j0, tile)
  const diagonal = new Float64Array(n)
  for (let i0 = 0; i0 < n; i0 += BLOCK) for (let j0 = 0; j0 <= i0; j0 += BLOCK) multiplyFactors(a, n, i0, j0, tile, diagonal)
  for (let i = 0; i < n; i++) {
    a[i * n + i] = diagonal[i]
    for (let j = 0; j < i; j++) a[j * n + i] = a[i * n + j]
  }
}

/** L_ij = (A_ij − Σ_{k<j} L_ik L_jk) / L_jj, for the rows from i0 and the columns from j0. */
function decompose(a: Float32Array, n: number, i0: number, j0: number, tile: Float64Array): void {
  const i1 = Math.min(n, i0 + BLOCK)
  const j1 = Math.min(n, j0 + BLOCK)
  dots(a, n, i0, i1, j0, j1, 0, j0, tile)
  for (let i = i0; i < i1; i++) {
    for (let j = j0; j < Math.min(j1, i); j++) {
      let sum = a[i * n + j] - tile[(i - i0) * BLOCK + j - j0]
      for (let k = j0; k < j; k++) sum -= a[i * n + k] * a[j * n + k]
      a[i * n + j] = sum * a[j * n + j]
    }
    if (i0 !== j0) continue
    let sum = a[i * n + i] - tile[(i - i0) * BLOCK + i - i0]
    for (let k = j0; k < i; k++) sum -= a[i * n + k] * a[i * n + k]
    if (!(sum > 0)) throw new RangeError('the matrix is not positive definite; raise the ridge')
    a[i * n + i] = 1 / Math.sqrt(sum)
  }
}

/** With M = L⁻¹, kept as its transpose above the diagonal: M_ij = −Σ_{j≤k<i} L_ik M_kj / L_ii. */
function invertFactor(a: Float32Array, n: number, i0: number, j0: number, tile: Float64Array): void {
  const i1 = Math.min(n, i0 + BLOCK)
  const j1 = Math.min(n, j0 + BLOCK)
  dots(a, n, i0, i1, j0, j1, j1, i0, tile)
  for (let i = i0; i < i1; i++) {
    for (let j = j0; j < Math.min(j1, i); j++) {
      let sum = tile[(i - i0) * BLOCK + j - j0]
      for (let k = j; k < Math.min(j1, i); k++) sum += a[i * n + k] * a[j * n + k]
      for (let k = Math.max(i0, j1); k < i; k++) sum += a[i * n + k] * a[j * n + k]
      a[j * n + i] = -sum * a[i * n + i]
    }
  }
}

/** (MᵀM)_ij = Σ_{k≥i} M_ki M_kj for i ≥ j. */
function multiplyFactors(a: Float32Array, n: number, i0: number, j0: number, tile: Float64Array, diagonal: Float64Array): void {
  const i1 = Math.min(n, i0 + BLOCK)
  const j1 = Math.min(n, j0 + BLOCK)
  dots(a, n, i0, i1, j0, j1, i1, n, tile)
  for (let i = i0; i < i1; i++) {
    for (let j = j0; j < Math.min(j1, i + 1); j++) {
      let sum = tile[(i - i0) * BLOCK + j - j0]
      for (let k = i; k < i1; k++) sum += a[i * n + k] * a[j * n + k]
      if (i === j) diagonal[i] = sum
      else a[i * n + j] = sum
    }
  }
}

/** tile[i, j] = Σ_{from≤k<to} a_ik a_jk, four rows by four at a time; the sums lie in registers. */
function dots(
  a: Float32Array,
  n: number,
  i0: number,
  i1: number,
  j0: number,
  j1: number,
  from: number,
  to: number,
  tile: Float64Array,
): void {
  tile.fill(0)
  for (let k0 = from; k0 < to; k0 += REACH) {
    const k1 = Math.min(to, k0 + REACH)
    let i = i0
    for (; i + 4 <= i1; i += 4) {
      let j = j0
      for (; j + 4 <= j1; j += 4) {
        let [s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33] = [
          0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]
        for (let k = k0; k < k1; k++) {
          const x0 = a[i * n + k]
          const x1 = a[(i + 1) * n + k]
          const x2 = a[(i + 2) * n + k]
          const x3 = a[(i + 3) * n + k]
          const y0 = a[j * n + k]
          s00 += x0 * y0
          s10 += x1 * y0
          s20 += x2 * y0
          s30 += x3 * y0
          const y1 = a[(j + 1) * n + k]
          s01 += x0 * y1
          s11 += x1 * y1
          s21 += x2 * y1
          s31 += x3 * y1
          const y2 = a[(j + 2) * n + k]
          s02 += x0 * y2
          s12 += x1 * y2
          s22 += x2 * y2
          s32 += x3 * y2
          const y3 = a[(j + 3) * n + k]
          s03 += x0 * y3
          s13 += x1 * y3
          s23 += x2 * y3
          s33 += x3 * y3
        }
        const at = (i - i0) * BLOCK + j - j0
        tile[at] += s00
        tile[at + 1] += s01
        tile[at + 2] += s02
        tile[at + 3] += s03
        tile[at + BLOCK] += s10
        tile[at + BLOCK + 1] += s11
        tile[at + BLOCK + 2] += s12
        tile[at + BLOCK + 3] += s13
        tile[at + 2 * BLOCK] += s20
        tile[at + 2 * BLOCK + 1] += s21
        tile[at + 2 * BLOCK + 2] += s22
        tile[at + 2 * BLOCK + 3] += s23
        tile[at + 3 * BLOCK] += s30
        tile[at + 3 * BLOCK + 1] += s31
        tile[at + 3 * BLOCK + 2] += s32
        tile[at + 3 * BLOCK + 3] += s33
      }
      for (; j < j1; j++) for (let row = i; row < i + 4; row++) tile[(row - i0) * BLOCK + j - j0] += dot(a, row * n, j * n, k0, k1)
    }
    for (; i < i1; i++) for (let j = j0; j < j1; j++) tile[(i - i0) * BLOCK + j - j0] += dot(a, i * n, j * n, k0, k1)
  }
}

function dot(a: Float32Array, x: number, y: number, from: number, to: number): number {
  let sum = 0
  for (let k = from; k < to; k++) sum += a[x + k] * a[y + k]
  return sum
}
