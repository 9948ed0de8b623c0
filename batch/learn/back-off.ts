/** Stirling's series for ln Γ, shifted so that its error stays below 1e-10 (Abramowitz & Stegun 6.1.41). */
function lnGamma(x: number): number {
  let shift = 0
  while (x < 8) shift -= Math.log(x++)
  const r = 1 / (x * x)
  return shift + (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r / 1680))) / x
}

/** ln Γ(x + n) - ln Γ(x): for the few visitors that most items have, of the product x (x + 1) … (x + n - 1). */
function lnRising(x: number, n: number): number {
  if (n > 16 || !Number.isInteger(n)) return lnGamma(x + n) - lnGamma(x)
  let product = 1
  for (let i = 0; i < n; i++) product *= x + i
  return Math.log(product)
}

const STRENGTHS = Array.from({ length: 15 }, (_, i) => 4 * 2 ** i)

/**
 * Empirical Bayes: the strength m of a Dirichlet prior m·parent under which the children's counts are likeliest
 * (Dirichlet-multinomial evidence, Minka 2000, "Estimating a Dirichlet distribution"), from a grid of powers of two.
 * Every child weighs the same however many counts it has, else the one big country would decide for all small ones.
 * @param children one after the other, for all of them together may be too much to hold
 */
export function priorStrength(children: Iterable<Child>): number {
  const evidence = new Float64Array(STRENGTHS.length)
  for (const { counts, parent } of children) {
    // Most cells know few of all items; only those tell anything.
    const known: number[] = []
    for (let item = 0; item < counts.length; item++) if (counts[item] > 0) known.push(item)
    if (known.length === 0) continue
    let total = 0
    for (const item of known) total += counts[item]
    STRENGTHS.forEach((strength, s) => {
      let own = 0
      for (const item of known) own += lnRising(strength * parent[item], counts[item])
      evidence[s] += (own + lnGamma(strength) - lnGamma(total + strength)) / total
    })
  }
  return STRENGTHS[evidence.reduce((best, value, s) => (value > evidence[best] ? s : best), 0)]
}

/**
 * Counts by item, and the parent's distribution over items as it is without this child: a parent that mostly consists of a
 * child would seem to predict it perfectly.
 */
export type Child = { counts: Float64Array; parent: Float64Array }

/** The child's distribution over items, shrunk towards its parent's. */
export function shrunk(counts: Float64Array, parent: Float64Array, strength: number): Float64Array {
  let total = 0
  for (let item = 0; item < counts.length; item++) total += counts[item]
  const child = new Float64Array(counts.length)
  for (let item = 0; item < counts.length; item++) child[item] = (counts[item] + strength * parent[item]) / (total + strength)
  return child
}

/** Counts as shares, every item with a little of its own so that no prior is zero. */
export function shares(counts: Float64Array): Float64Array {
  let total = 0
  for (let item = 0; item < counts.length; item++) total += counts[item] + 0.01
  const share = new Float64Array(counts.length)
  for (let item = 0; item < counts.length; item++) share[item] = (counts[item] + 0.01) / total
  return share
}
