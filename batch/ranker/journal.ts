import { canonicalJson } from '../../shared/release/hash.ts'

export type Judgement = {
  /** A family of models, or another part of a release whose settings are compared. */
  family: string
  /** All of the family's settings, so that no two judgements share one. */
  setting: Record<string, number>
  quality: number
}

/**
 * What a search has judged, so that one that was killed does not judge it again.
 * Within one journal a family's setting has one quality: everything else that it depends on is the same.
 */
export class Journal {
  private readonly judged: Map<string, number>
  private readonly keep: (judgement: Judgement) => void

  /**
   * @param judged by a search that did not finish
   * @param keep is told what is new, before anything rests on it
   */
  constructor(judged: readonly Judgement[] = [], keep: (judgement: Judgement) => void = () => undefined) {
    this.judged = new Map(judged.map(({ family, setting, quality }) => [keyOf(family, setting), quality]))
    this.keep = keep
  }

  /** The quality of a setting, judged unless it was before. */
  async once(family: string, setting: Judgement['setting'], judge: () => number | Promise<number>): Promise<number> {
    const key = keyOf(family, setting)
    const known = this.judged.get(key)
    if (known !== undefined) return known
    const quality = await judge()
    this.keep({ family, setting, quality })
    this.judged.set(key, quality)
    return quality
  }
}

const keyOf = (family: string, setting: Judgement['setting']): string => `${family} ${canonicalJson(setting)}`
