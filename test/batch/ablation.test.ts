import { describe, expect, it } from 'vitest'
import { featureGroups, groupPositions } from '../../batch/evaluate/feature-groups.ts'
import { trainRanker } from '../../batch/ranker/train.ts'
import { randomStream } from '../../shared/random.ts'
import { features } from '../../shared/ranking/features.ts'
import { referenceScores, type Weights } from '../../shared/ranking/reference-scorer.ts'

describe('feature groups', () => {
  it('hold every feature once', () => {
    const groups = groupPositions(features)
    expect([...groups.values()].flat().sort((a, b) => a - b)).toEqual([...features.keys()])
    const named = Object.values(featureGroups).flat()
    expect(new Set(named).size).toBe(named.length)
  })

  it('take in what nobody named', () => {
    const groups = groupPositions([{ name: 'similar' }, { name: 'new one' }, { name: 'gap' }])
    expect(groups).toEqual(
      new Map([
        ['similar', [0]],
        ['request', [2]],
        ['other', [1]],
      ]),
    )
  })
})

describe('a ranker held back', () => {
  const random = randomStream(4)
  // Taken: the largest second feature among those whose first is not in the middle, which no line tells.
  const examples = Array.from({ length: 300 }, () => {
    const x = Float32Array.from({ length: 8 * 2 }, () => 2 * random() - 1)
    const worth = Array.from({ length: 8 }, (_, row) => Math.abs(x[2 * row]) + 0.2 * x[2 * row + 1])
    return { features: x, count: 8, taken: [worth.indexOf(Math.max(...worth))] }
  })
  const right = (weights: Weights): number =>
    examples.filter(({ features: x, taken }) => {
      const scores = new Float32Array(8)
      referenceScores(weights, x, 8, scores)
      return scores.indexOf(Math.max(...scores)) === taken[0]
    }).length
  const train = { features: 2, epochs: 40, seed: 1 }

  it('does not hear of a feature it is without', async () => {
    const weights = await trainRanker(examples, { ...train, without: [0] })
    const scored = (x: Float32Array): Float32Array => {
      const out = new Float32Array(8)
      referenceScores(weights, x, 8, out)
      return out
    }
    for (const { features: x } of examples.slice(0, 20))
      expect(scored(x.map((value, k) => (k % 2 === 0 ? -value : value)))).toEqual(scored(x))
  })

  it('is a line without its hidden layer, and less than with it', async () => {
    const linear = await trainRanker(examples, { ...train, linear: true })
    expect(linear.w0.every((weight) => weight === 0)).toBe(true)
    expect(linear.w1.every((weight) => weight === 0)).toBe(true)
    expect(right(await trainRanker(examples, train))).toBeGreaterThan(right(linear) + 60)
  })
})
