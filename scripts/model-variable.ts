/** Tells the build that wrangler starts which graph to deploy: a file, where it is not the ranker's own. */
export const MODEL_VARIABLE = 'NIGHTJAR_MODEL'
