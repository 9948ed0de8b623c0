const memories: WebAssembly.Memory[] = []

/** Bytes of every WebAssembly memory that was made since this module was loaded. The platform counts them as the isolate's. */
export const wasmBytes = (): number => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)

WebAssembly.Memory = new Proxy(WebAssembly.Memory, {
  construct(of, parameters) {
    const memory: WebAssembly.Memory = Reflect.construct(of, parameters)
    memories.push(memory)
    return memory
  },
})

WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(of, parameters) {
    const instance: WebAssembly.Instance = Reflect.construct(of, parameters)
    for (const exported of Object.values(instance.exports)) if (exported instanceof WebAssembly.Memory) memories.push(exported)
    return instance
  },
})
