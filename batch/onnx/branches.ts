import binaryen from 'binaryen'
import { emit, functions, ownFunctions, read, WATCH } from './module.ts'

type Expression = binaryen.ExpressionRef
type Arm = 'IfTrue' | 'IfFalse'
type Setters = {
  CallIndirect: { setTarget(call: Expression, target: Expression): void }
  Block: { setChildren(block: Expression, children: readonly Expression[]): void }
  If: Record<`set${Arm}`, (condition: Expression, arm: Expression) => void>
}

/** The types have them on modules, where they are not. */
const { Block, CallIndirect, If } = binaryen as unknown as Setters

/** Where expressions stand in an expression. What is not among these is taken for one that has none: nothing in it is cut off. */
const PARTS = new Map<number, readonly string[]>([
  [binaryen.BlockId, ['children']],
  [binaryen.IfId, ['condition', 'ifTrue', 'ifFalse']],
  [binaryen.LoopId, ['body']],
  [binaryen.BreakId, ['condition', 'value']],
  [binaryen.SwitchId, ['condition', 'value']],
  [binaryen.CallId, ['operands']],
  [binaryen.CallIndirectId, ['target', 'operands']],
  [binaryen.LocalSetId, ['value']],
  [binaryen.GlobalSetId, ['value']],
  [binaryen.LoadId, ['ptr']],
  [binaryen.StoreId, ['ptr', 'value']],
  [binaryen.UnaryId, ['value']],
  [binaryen.BinaryId, ['left', 'right']],
  [binaryen.SelectId, ['ifTrue', 'ifFalse', 'condition']],
  [binaryen.DropId, ['value']],
  [binaryen.ReturnId, ['value']],
])

/** Behind one of these, where it is a part of a statement, what follows may not be reached. */
const LEAVING = new Set<number>([
  binaryen.BreakId,
  binaryen.SwitchId,
  binaryen.ReturnId,
  binaryen.UnreachableId,
  binaryen.CallId,
  binaryen.CallIndirectId,
])

/** Where a function may go or not: an arm of a condition, or what stands in a block from one of its statements on. */
type Branch = { condition: Expression; arm: Arm } | { block: Expression; from: number }

/** What of a module is used: its branches by number, its table by index. */
export type Used = { taken(branch: number): boolean; called(index: number): boolean }

/**
 * The module that tells `env.entered` the number of each branch that it takes, and `env.called` where in the table each function stands
 * that it calls by it.
 */
export function withBranches(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const module = read(bytes)
  try {
    module.addFunctionImport('entered', WATCH, 'entered', binaryen.createType([binaryen.i32]), binaryen.none)
    module.addFunctionImport('called', WATCH, 'called', binaryen.createType([binaryen.i32]), binaryen.i32)
    for (const { fn } of ownFunctions(module))
      for (const call of indirectCallsIn(functions.getBody(fn))) {
        const { target } = binaryen.getExpressionInfo(call) as binaryen.CallIndirectInfo
        CallIndirect.setTarget(call, module.call('called', [target], binaryen.i32))
      }
    change(module, (was, type, number) => {
      const say = module.call('entered', [module.i32.const(number)], binaryen.none)
      return type === null ? [say, ...was] : [module.block(null, [say, ...was], type)]
    })
    return emit(module)
  } finally {
    module.dispose()
  }
}

/** The module in which every branch traps that was not taken, and every call by the table of what was not called so. */
export function withoutUnused(bytes: Uint8Array, { taken, called }: Used): Uint8Array<ArrayBuffer> {
  const module = read(bytes)
  try {
    change(module, (was, _type, number) => (taken(number) ? was : [module.unreachable()]))
    emptyTable(module, called)
    module.runPasses(['dce'])
    binaryen.setOptimizeLevel(2)
    binaryen.setShrinkLevel(1)
    module.optimize()
    return emit(module)
  } finally {
    module.dispose()
  }
}

/** Leaves the table only what is `called`: V8 makes an entry for each function that it names when a runtime starts. */
function emptyTable(module: InstanceType<typeof binaryen.Module>, called: Used['called']): void {
  const segments = Array.from({ length: module.getNumElementSegments() }, (_, i) =>
    binaryen.getElementSegmentInfo(module.getElementSegmentByIndex(i)),
  )
  for (const { name, table, offset, data } of segments) {
    const { value } = binaryen.getExpressionInfo(offset) as binaryen.ConstInfo
    const at = Number(value)
    module.removeElementSegment(name)
    for (let from = 0; from < data.length; from++) {
      let to = from
      while (to < data.length && called(at + to)) to++
      if (to > from) module.addActiveElementSegment(table, `${name}-${from}`, data.slice(from, to), module.i32.const(at + from))
      from = to
    }
  }
}

/**
 * Puts something else in the place of every branch; numbers are the same for the same module.
 * @param instead is given what stands there, and its type where it is one expression, null where it is the rest of a block
 */
function change(
  module: InstanceType<typeof binaryen.Module>,
  instead: (was: readonly Expression[], type: binaryen.Type | null, number: number) => readonly Expression[],
): void {
  let count = 0
  for (const { fn } of ownFunctions(module)) {
    const branches = branchesIn(functions.getBody(fn)).map((branch) => ({ branch, number: count++ }))
    // From the last one on: what is put into a block moves what stands behind it.
    for (const { branch, number } of branches.reverse()) {
      if ('arm' in branch) {
        const was = binaryen.getExpressionInfo(branch.condition) as binaryen.IfInfo
        const arm = branch.arm === 'IfTrue' ? was.ifTrue : was.ifFalse
        const [other] = instead([arm], binaryen.getExpressionType(arm), number)
        If[`set${branch.arm}`](branch.condition, other)
      } else {
        const { children } = binaryen.getExpressionInfo(branch.block) as binaryen.BlockInfo
        Block.setChildren(branch.block, [...children.slice(0, branch.from), ...instead(children.slice(branch.from), null, number)])
      }
    }
  }
}

function branchesIn(expression: Expression): Branch[] {
  const id = binaryen.getExpressionId(expression)
  const parts = partsOf(expression, id)
  const own: Branch[] = []
  if (id === binaryen.IfId) own.push({ condition: expression, arm: 'IfTrue' })
  if (id === binaryen.IfId && parts.length > 2) own.push({ condition: expression, arm: 'IfFalse' })
  if (id === binaryen.BlockId)
    for (const [i, part] of parts.slice(0, -1).entries()) if (mayLeave(part)) own.push({ block: expression, from: i + 1 })
  return [...own, ...parts.flatMap(branchesIn)]
}

function indirectCallsIn(expression: Expression): Expression[] {
  const id = binaryen.getExpressionId(expression)
  return [...(id === binaryen.CallIndirectId ? [expression] : []), ...partsOf(expression, id).flatMap(indirectCallsIn)]
}

function mayLeave(expression: Expression): boolean {
  const id = binaryen.getExpressionId(expression)
  return LEAVING.has(id) || partsOf(expression, id).some(mayLeave)
}

function partsOf(expression: Expression, id: number): Expression[] {
  const names = PARTS.get(id)
  if (names === undefined) return []
  const info: unknown = binaryen.getExpressionInfo(expression)
  const parts = info as Record<string, Expression | Expression[]>
  // 0 is a part that is not there.
  return names.flatMap((name) => parts[name]).filter((part) => part !== 0)
}
