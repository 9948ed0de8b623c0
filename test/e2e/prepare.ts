import { join } from 'node:path'
import { placeOnnx } from '../../batch/onnx/build.ts'
import { buildSite } from '../../scripts/build.ts'
import { ensureLocalSecrets } from '../../scripts/secrets.ts'

/**
 * Every dev server builds the site and the ONNX runtime and reads the secrets when it starts. Made once before all tests, they are only read
 * from then on, and no server that starts makes another reload.
 */
export default async function prepare(): Promise<void> {
  ensureLocalSecrets(join(import.meta.dirname, '../../.dev.vars'))
  await buildSite()
  await placeOnnx()
}
