/** Hash of workers/scoring/ranker.onnx, written by "npm run graph": a release made for another graph is refused. */
export const GRAPH_HASH = '2aa048f0b7d57e648964295017eb0761'
