import binaryen from 'binaryen'
import { describe, expect, it } from 'vitest'
import { withBranches, withoutUnused } from '../../batch/onnx/branches.ts'

type Exports = { sign(x: number): number; pick(x: number): number; byTable(at: number): number }

/** Three ways to go one way or the other, and a table of functions. */
const TEXT = `(module
  (type $number (func (result i32)))
  (table 3 3 funcref)
  (elem (i32.const 0) $one $two $three)
  (func $one (result i32) (i32.const 1))
  (func $two (result i32) (i32.const 2))
  (func $three (result i32) (i32.const 3))
  (func (export "sign") (param $x i32) (result i32)
    (if (result i32) (i32.lt_s (local.get $x) (i32.const 0))
      (then (i32.const -1))
      (else (if (result i32) (local.get $x) (then (i32.const 1)) (else (i32.const 0))))))
  (func (export "pick") (param $x i32) (result i32)
    (block $rest
      (block $second
        (block $first (br_table $first $second $rest (local.get $x)))
        (return (i32.const 10)))
      (return (i32.const 20)))
    (i32.const 30))
  (func (export "byTable") (param $at i32) (result i32)
    (call_indirect (type $number) (local.get $at))))`

const stock = ((): Uint8Array<ArrayBuffer> => {
  const module = binaryen.parseText(TEXT)
  const bytes = Uint8Array.from(module.emitBinary())
  module.dispose()
  return bytes
})()

const exportsOf = (bytes: Uint8Array<ArrayBuffer>, env: Record<string, unknown> = {}): Exports =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes), { env }).exports as unknown as Exports

/** The module with what `run` used of it, and nothing else. */
function left(run: (watched: Exports) => void): Exports {
  const taken = new Set<number>()
  const called = new Set<number>()
  const env = {
    entered: (branch: number) => void taken.add(branch),
    called(index: number) {
      called.add(index)
      return index
    },
  }
  run(exportsOf(withBranches(stock), env))
  return exportsOf(withoutUnused(stock, { taken: (branch) => taken.has(branch), called: (index) => called.has(index) }))
}

describe('a module without what was not used of it', () => {
  it('does what it was seen to do, and traps where it goes elsewhere', () => {
    const slim = left(({ sign, pick }) => {
      for (const call of [() => sign(5), () => sign(0), () => pick(1)]) call()
    })
    expect([slim.sign(7), slim.sign(0), slim.pick(1)]).toEqual([1, 0, 20])
    expect(() => slim.sign(-1)).toThrow(/unreachable/)
    expect(() => slim.pick(0)).toThrow(/unreachable/)
    expect(() => slim.pick(2)).toThrow(/unreachable/)
  })

  it('has in its table what was called by it', () => {
    const slim = left(({ byTable }) => byTable(1))
    expect(slim.byTable(1)).toBe(2)
    for (const at of [0, 2]) expect(() => slim.byTable(at)).toThrow(WebAssembly.RuntimeError)
  })

  it('is the same where all was used', () => {
    const slim = left(({ sign, pick, byTable }) => {
      for (const x of [-1, 0, 1]) sign(x)
      for (const x of [0, 1, 2]) [pick(x), byTable(x)]
    })
    const whole = exportsOf(stock)
    for (const x of [-9, -1, 0, 1, 9]) expect(slim.sign(x)).toBe(whole.sign(x))
    for (const x of [0, 1, 2]) expect([slim.pick(x), slim.byTable(x)]).toEqual([whole.pick(x), whole.byTable(x)])
  })
})
