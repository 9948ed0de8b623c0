/** Features that say much the same, by name: an ablation holds a group at 0, because one alone is made up for by the others. */
export const featureGroups: Readonly<Record<string, readonly string[]>> = {
  similar: ['similar', 'similarShare', 'past', 'lastSimilar', 'support'],
  'together, next': ['together', 'togetherShare', 'lastTogether', 'next', 'lastNext'],
  'history, repeat': ['own', 'inHistory', 'isNewest', 'historyRecency', 'repeat', 'itemAge', 'purchased'],
  'merged score': ['mergedShare', 'rank'],
  'lists, cohort': ['cohortList', 'regionList', 'regionLift'],
  'popularity, trend, age': ['popularity', 'trend', 'age', 'ageGap', 'historyAge'],
  vectors: ['visitorDot', 'lastDot', 'cohortDot'],
  'content, price': ['sameCategory', 'priceRatio'],
  request: ['historyLength', 'sessionLength', 'gap'],
}

/** The groups as positions in the list of features; those that no group names are `other`. */
export function groupPositions(features: readonly { name: string }[]): Map<string, number[]> {
  const left = new Set(features.keys())
  const groups = new Map<string, number[]>()
  for (const [group, names] of Object.entries(featureGroups)) {
    const own = [...left].filter((position) => names.includes(features[position].name))
    for (const position of own) left.delete(position)
    if (own.length > 0) groups.set(group, own)
  }
  if (left.size > 0) groups.set('other', [...left])
  return groups
}
