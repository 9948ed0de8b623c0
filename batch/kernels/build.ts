import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'
import { KERNELS_FILE } from './kernels.ts'

const FLAGS = ['--runtime', 'stub', '--optimizeLevel', '3', '--noAssert', '--enable', 'simd', '--enable', 'threads']
/** The most that 32-bit addresses reach; the host decides how much there is. */
const MEMORY = ['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536']

/**
 * Compiles assembly/.
 * @throws Error with the compiler's words
 */
export async function builtKernels(): Promise<Uint8Array> {
  let built: Uint8Array | undefined
  const from = ['kernels.ts', '--baseDir', join(import.meta.dirname, 'assembly'), '--outFile', 'kernels.wasm']
  const { error, stderr } = await asc.main([...from, ...FLAGS, ...MEMORY], {
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') built = contents
    },
  })
  if (error !== null || built === undefined) throw new Error(`the kernels do not compile: ${error?.message ?? ''}\n${stderr.toString()}`)
  return built
}

if (import.meta.main) writeFileSync(KERNELS_FILE, await builtKernels())
