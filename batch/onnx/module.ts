import binaryen from 'binaryen'
import { KEY_SECTION } from '../../shared/onnx/snapshot.ts'
import { utf8 } from '../../shared/utf8.ts'

/** The instructions that onnxruntime-web is compiled to. Its module does not tell them. */
const FEATURES = [
  binaryen.Features.Atomics,
  binaryen.Features.MutableGlobals,
  binaryen.Features.BulkMemory,
  binaryen.Features.BulkMemoryOpt,
  binaryen.Features.SIMD128,
  binaryen.Features.RelaxedSIMD,
  binaryen.Features.SignExt,
  binaryen.Features.NontrappingFPToInt,
  binaryen.Features.ExceptionHandling,
  binaryen.Features.ReferenceTypes,
  binaryen.Features.Multivalue,
  binaryen.Features.ExtendedConst,
].reduce((all, one) => all | one, 0)

/** The types have it on modules, where it is not. */
export const { Function: functions } = binaryen as unknown as Pick<InstanceType<typeof binaryen.Module>, 'Function'>

const GLOBAL = 'nightjar-global-'
/** The import through which a module that is watched tells what it does. */
export const WATCH = 'env'

type Changed = { bytes: Uint8Array<ArrayBuffer>; functions: string[] }

/**
 * The runtime's module with its mutable globals exported, so that they can be saved and set.
 * @returns the module, and names of the exports
 */
export function withGlobals(stock: Uint8Array): { bytes: Uint8Array<ArrayBuffer>; globals: string[] } {
  const module = read(stock)
  try {
    const globals: string[] = []
    for (let i = 0; i < module.getNumGlobals(); i++) {
      const { name, mutable } = binaryen.getGlobalInfo(module.getGlobalByIndex(i))
      if (!mutable) continue
      globals.push(GLOBAL + i)
      module.addGlobalExport(name, GLOBAL + i)
    }
    return { bytes: emit(module), globals }
  } finally {
    module.dispose()
  }
}

/** The module whose every function says its number to `env.entered` first. @returns it, and the functions' names by number */
export function withEntries(bytes: Uint8Array): Changed {
  const module = read(bytes)
  try {
    module.addFunctionImport('entered', WATCH, 'entered', binaryen.createType([binaryen.i32]), binaryen.none)
    const names: string[] = []
    for (const { name, fn } of ownFunctions(module)) {
      const say = module.call('entered', [module.i32.const(names.length)], binaryen.none)
      functions.setBody(fn, module.block(null, [say, functions.getBody(fn)], functions.getResults(fn)))
      names.push(name)
    }
    return { bytes: emit(module), functions: names }
  } finally {
    module.dispose()
  }
}

/**
 * The module in which only `kept` functions are left; every other one traps. The start function, which fills the memory,
 * does nothing: a snapshot brings the memory.
 */
export function slim(bytes: Uint8Array, kept: ReadonlySet<string>, key: string): Uint8Array<ArrayBuffer> {
  const module = read(bytes)
  try {
    const start = functions.getName(module.getStart())
    for (const { name, fn } of ownFunctions(module)) {
      if (kept.has(name) && name !== start) continue
      const [parameters, results] = [functions.getParams(fn), functions.getResults(fn)]
      // Made anew, so that no local variable is left and all of one type become one.
      module.removeFunction(name)
      module.addFunction(name, parameters, results, [], name === start ? module.nop() : module.unreachable())
    }
    module.runPasses(['duplicate-function-elimination', 'remove-unused-module-elements'])
    // What follows a call of a function that traps is never reached.
    module.runPasses(['inlining', 'dce', 'vacuum', 'remove-unused-names', 'remove-unused-brs', 'vacuum', 'reorder-locals'])
    module.runPasses(['remove-unused-module-elements'])
    module.addCustomSection(KEY_SECTION, utf8(key))
    return emit(module)
  } finally {
    module.dispose()
  }
}

/** The module that tells `env.load_ptr` and `env.store_ptr` (id, bytes, offset, address) what it reads and writes. */
export function withAccesses(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const module = read(bytes)
  try {
    // Copies and fills are not watched; loops of reads and writes are.
    module.runPasses(['llvm-memory-copy-fill-lowering', 'instrument-memory'])
    return emit(module)
  } finally {
    module.dispose()
  }
}

export function read(bytes: Uint8Array): InstanceType<typeof binaryen.Module> {
  const module = binaryen.readBinary(bytes)
  module.setFeatures(FEATURES)
  return module
}

export const emit = (module: InstanceType<typeof binaryen.Module>): Uint8Array<ArrayBuffer> => Uint8Array.from(module.emitBinary())

/** The functions that are no imports. */
export function ownFunctions(module: InstanceType<typeof binaryen.Module>): { name: string; fn: number }[] {
  const all = Array.from({ length: module.getNumFunctions() }, (_, i) => module.getFunctionByIndex(i))
  return all.filter((fn) => functions.getBody(fn) !== 0).map((fn) => ({ name: functions.getName(fn), fn }))
}
