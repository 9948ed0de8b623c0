import { breakage, strikes } from './breakage.ts'

/** How the runtime's exports take their names is decided anew by each version: they are told apart by what they are called with. */
const RUN_PARAMETERS = 8
/** To make a tensor, and to allocate. */
const MEMORY_PARAMETERS = [6, 1]

type Exported = (...parameters: unknown[]) => unknown

/** From now on every instance of a module does what `breakage` says of it. */
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(of, parameters) {
    const { exports }: WebAssembly.Instance = Reflect.construct(of, parameters)
    const broken: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(exports))
      broken[name] = typeof value === 'function' ? brokenFunction(value as Exported) : value
    return { exports: broken }
  },
})

function brokenFunction(call: Exported): Exported {
  return (...parameters) => {
    const { onnx } = breakage
    if (onnx?.how === 'trap' && parameters.length === RUN_PARAMETERS && strikes(onnx.share))
      throw new WebAssembly.RuntimeError('unreachable')
    if (onnx?.how === 'no-memory' && MEMORY_PARAMETERS.includes(parameters.length) && strikes(onnx.share)) return 0
    return call(...parameters)
  }
}
