/** Hash of workers/scoring/ranker.onnx, written by "npm run graph": a release made for another graph is refused. */
export const GRAPH_HASH = '24f7e5211833438934fb53efc8782035'
