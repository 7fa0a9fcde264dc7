import type { FunctionBuilder, FunctionRef, Local, PlainOp } from "../assembler/index.js";
import type { FunctionLibrary } from "./contract.js";

/** A vector value of a function body. Values form a DAG; one used twice is computed once and kept in a local. */
export type Value =
  | { readonly kind: "argument"; readonly index: number }
  | { readonly kind: "constant"; readonly bytes: Uint8Array; readonly key: string }
  | { readonly kind: "op"; readonly op: PlainOp; readonly operands: readonly Value[] }
  | { readonly kind: "shift"; readonly op: PlainOp; readonly operands: readonly [Value]; readonly count: number }
  | { readonly kind: "shuffle"; readonly operands: readonly [Value, Value]; readonly words: readonly [number, number, number, number] }
  /** The entries of a table at each lane's offset in bytes, its low 32 bits. */
  | { readonly kind: "lookup"; readonly operands: readonly [Value]; readonly table: Table };

type Operation = Exclude<Value, { readonly kind: "argument" | "constant" }>;

/** Constant numbers in memory, of the lanes' width in bytes. */
export interface Table {
  readonly key: string;
  readonly width: 4 | 8;
  readonly bytes: () => Uint8Array;
}

/**
 * A function of vectors: its value, and the lanes that are out of the fast path's reach, with what takes over for them: a function, or a
 * value computed in place for those that are not `within`. The latter is right in all lanes, with the same bits in those within.
 */
export interface Body {
  readonly value: Value;
  readonly otherwise?: { readonly when: Value; readonly call: FunctionRef };
  readonly rare?: { readonly within: Value; readonly mask: "i32x4.bitmask" | "i64x2.bitmask"; readonly value: Value };
}

const none: readonly Value[] = [];
export const operandsOf = (v: Value): readonly Value[] => (v.kind === "argument" || v.kind === "constant" ? none : v.operands);

/** How often each value of some bodies is needed. */
export function countUses(bodies: readonly Body[]): Map<Value, number> {
  const uses = new Map<Value, number>();
  const count = (v: Value): void => {
    const n = uses.get(v) ?? 0;
    uses.set(v, n + 1);
    if (n === 0) operandsOf(v).forEach(count);
  };
  for (const { value, otherwise, rare } of bodies) {
    count(value);
    if (otherwise) count(otherwise.when);
    if (rare) {
      count(rare.within);
      count(rare.value);
    }
  }
  return uses;
}

/**
 * One load is cheaper than what V8 with Turboshaft (Node 24) makes of v128.const at every turn of a loop. TurboFan before it keeps constants
 * in front of the loop, while it moves loads away from their use, to where they take registers for long.
 */
export function pushConstant(f: FunctionBuilder, library: FunctionLibrary, v: Value & { kind: "constant" }): void {
  if (library.relaxed) f.i32(0).memory("v128.load", library.table(v.key, () => v.bytes));
  else f.v128(v.bytes);
}

/** Pushes an operation's value, its operands being what `push` pushes. */
export function emitOperation(f: FunctionBuilder, library: FunctionLibrary, v: Operation, push: (operand: Value) => void): void {
  if (v.kind === "lookup") {
    emitLookup(f, library.table(v.table.key, v.table.bytes), v.table.width, () => { push(v.operands[0]); });
    return;
  }
  for (const x of v.operands) push(x);
  if (v.kind === "op") f.op(v.op);
  else if (v.kind === "shift") f.i32(v.count).op(v.op);
  else f.shuffle32(...v.words);
}

/** Loads the entry of each lane. Of four offsets two are taken at once from the vector: each is two instructions of the vector units. */
function emitLookup(f: FunctionBuilder, table: number, width: 4 | 8, pushOffsets: () => void): void {
  if (width === 8) {
    for (const lane of [2, 0]) {
      pushOffsets();
      f.lane("i32x4.extract_lane", lane);
    }
    f.memory("v128.load64_zero", table).memoryLane("v128.load64_lane", 1, table);
    return;
  }
  const pair = f.local("i64");
  for (const half of [1, 0]) {
    pushOffsets();
    f.lane("i64x2.extract_lane", half).tee(pair).i64(32n).op("i64.shr_u").op("i32.wrap_i64").get(pair).op("i32.wrap_i64");
  }
  f.release(pair).memory("v128.load32_zero", table);
  for (const lane of [1, 2, 3]) f.memoryLane("v128.load32_lane", lane, table);
}

/** Writes a body into `f`, its arguments being these locals; the result is left on the stack. */
export function emitBody(f: FunctionBuilder, library: FunctionLibrary, args: readonly Local[], body: Body): void {
  const uses = countUses([body]);
  const { rare } = body;
  const kept = new Map<Value, Local>();
  const emit = (v: Value): void => {
    if (v.kind === "argument") {
      f.get(args[v.index]!);
      return;
    }
    if (v.kind === "constant") {
      pushConstant(f, library, v);
      return;
    }
    const local = kept.get(v);
    if (local !== undefined) {
      f.get(local);
      return;
    }
    if (v.kind === "lookup") {
      const offsets = f.local("v128");
      emit(v.operands[0]);
      f.set(offsets);
      emitOperation(f, library, v, () => f.get(offsets));
      f.release(offsets);
    } else emitOperation(f, library, v, emit);
    if (uses.get(v)! > 1) {
      const fresh = f.local("v128");
      kept.set(v, fresh);
      f.tee(fresh);
    }
  };

  emit(body.value);
  const { otherwise } = body;
  if (rare) {
    const [value, within] = [f.local("v128"), f.local("v128")];
    f.set(value);
    emit(rare.within);
    f.tee(within).op(rare.mask).i32(rare.mask === "i32x4.bitmask" ? 15 : 3).op("i32.ne").if(() => {
      f.get(value);
      emit(rare.value);
      f.get(within).op("v128.bitselect").set(value);
    });
    f.get(value).release(value).release(within);
  }
  if (otherwise) {
    // Only the lanes that need it take the other value, so that no lane's bits depend on its neighbours.
    const [value, when] = [f.local("v128"), f.local("v128")];
    f.set(value);
    emit(otherwise.when);
    f.tee(when).op("v128.any_true").if(() => {
      for (const a of args) f.get(a);
      f.call(otherwise.call).get(value).get(when).op("v128.bitselect").set(value);
    });
    f.get(value).release(value).release(when);
  }
  for (const local of kept.values()) f.release(local);
}
