import { placeOnnx } from '../../../batch/onnx/build.ts'

/** What the Worker imports has to be there before it is bundled. */
export default async function prepare(): Promise<void> {
  await placeOnnx()
}
