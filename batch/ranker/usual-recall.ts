import type { RecallParameters } from '../../shared/release/manifest.ts'

/** Where the search begins, and where it stays when there is too little history to search. */
export const USUAL_RECALL: Omit<RecallParameters, 'candidates'> = {
  historyItems: 50,
  historyDecay: 2.5,
  pastDecay: 40,
  pastWeight: 0.3,
  selfWeight: 0.3,
  pastSelfWeight: 0.3,
  togetherWeight: 0.3,
  pastTogetherWeight: 0.3,
  listWeight: 0.05,
}
