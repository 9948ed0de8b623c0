import { join } from 'node:path'

/** The one deployed graph, made by "npm run graph". */
export const GRAPH_FILE = join(import.meta.dirname, '../../workers/scoring/ranker.onnx')
