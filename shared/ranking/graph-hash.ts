/** Hash of workers/scoring/ranker.onnx, written by "npm run graph": a release made for another graph is refused. */
export const GRAPH_HASH = 'f35f4bc7e5085be2577b646ac1a45f57'
