/** Hash of workers/scoring/ranker.onnx, written by "npm run graph": a release made for another graph is refused. */
export const GRAPH_HASH = 'd92cda58c9fc1c1ec1ab8cf57858e0c6'
