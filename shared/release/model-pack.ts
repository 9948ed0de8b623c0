import type { Weights } from '../ranking/reference-scorer.ts'
import { decodePack, encodePack, metaCount, openPack, type Pack, PackError, section } from './container.ts'

/** The ranker's weights (float32); the graph they are inputs of is the same every night. @throws PackError where they are of no use */
export function encodeModel(weights: Weights): Uint8Array<ArrayBuffer> {
  const { features, hidden, ...sections } = weights
  mustBeUsable(weights)
  return encodePack({ kind: 'model', meta: { features, hidden }, sections })
}

/** @throws PackError */
export const openModel = async (buffer: ArrayBuffer, hash: string): Promise<Weights> => readModel(await openPack(buffer, hash, 'model'))
/** @throws PackError */
export const decodeModel = (buffer: ArrayBuffer): Weights => readModel(decodePack(buffer, 'model'))

function readModel(pack: Pack): Weights {
  const features = metaCount(pack, 'features')
  const hidden = metaCount(pack, 'hidden')
  const weights = {
    features,
    hidden,
    w0: section(pack, 'w0', Float32Array, features * hidden),
    b0: section(pack, 'b0', Float32Array, hidden),
    w1: section(pack, 'w1', Float32Array, hidden),
    b1: section(pack, 'b1', Float32Array, 1),
    skip: section(pack, 'skip', Float32Array, features),
  }
  mustBeUsable(weights)
  return weights
}

/** From larger ones scores could come that are no numbers; none that was ever learned had a thousandth of it. */
const MOST = 1e6

/** @throws PackError where a weight is not a number, or so large that scores might not be */
function mustBeUsable({ w0, b0, w1, b1, skip }: Weights): void {
  for (const weights of [w0, b0, w1, b1, skip])
    if (!weights.every((weight) => Math.abs(weight) <= MOST))
      throw new PackError('bad-section', 'the ranker has weights that are no numbers')
}
