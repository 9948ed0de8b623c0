// AssemblyScript. Every kernel is (scratch, …arguments, from, to): it does parts from … to - 1 and reads and writes nothing
// that another part writes, so that any thread may do any part. Addresses are bytes in the one shared memory.
export { approachRows, assignRows } from './assign'
export { gramRows } from './gram'
export { nearestRows } from './nearest'
export { ridgeRows } from './ridge'
export { rankerGradients } from './ranker'
export { crossParts, squareBlocks, triangularRows } from './subspace'
