import type { FunctionBuilder, FunctionRef, Local, PlainOp } from "../assembler/index.js";
import type { FunctionLibrary } from "./contract.js";

/** A vector value of a function body. Values form a DAG; one used twice is computed once and kept in a local. */
export type Value =
  | { readonly kind: "argument"; readonly index: number }
  | { readonly kind: "constant"; readonly bytes: Uint8Array; readonly key: string }
  | { readonly kind: "op"; readonly op: PlainOp; readonly operands: readonly Value[] }
  | { readonly kind: "shift"; readonly op: PlainOp; readonly operands: readonly [Value]; readonly count: number }
  | { readonly kind: "shuffle"; readonly operands: readonly [Value, Value]; readonly words: readonly [number, number, number, number] };

/** A function of vectors: its value, and the lanes that are out of the fast path's reach, with the function that takes over for them. */
export interface Body {
  readonly value: Value;
  readonly otherwise?: { readonly when: Value; readonly call: FunctionRef };
}

const none: readonly Value[] = [];
const operandsOf = (v: Value): readonly Value[] => (v.kind === "argument" || v.kind === "constant" ? none : v.operands);

/** Writes a body into `f`, its arguments being these locals; the result is left on the stack. */
export function emitBody(f: FunctionBuilder, library: FunctionLibrary, args: readonly Local[], body: Body): void {
  const uses = new Map<Value, number>();
  const count = (v: Value): void => {
    const n = uses.get(v) ?? 0;
    uses.set(v, n + 1);
    if (n === 0) operandsOf(v).forEach(count);
  };
  count(body.value);
  if (body.otherwise) count(body.otherwise.when);

  const kept = new Map<Value, Local>();
  const emit = (v: Value): void => {
    if (v.kind === "argument") {
      f.get(args[v.index]!);
      return;
    }
    if (v.kind === "constant") {
      // One load is cheaper than what V8 makes of v128.const: a 64-bit immediate through a general register, in newer versions (Node 24)
      // at every turn of a loop.
      f.i32(0).memory("v128.load", library.table(v.key, () => v.bytes));
      return;
    }
    const local = kept.get(v);
    if (local !== undefined) {
      f.get(local);
      return;
    }
    for (const operand of v.operands) emit(operand);
    if (v.kind === "op") f.op(v.op);
    else if (v.kind === "shift") f.i32(v.count).op(v.op);
    else f.shuffle32(...v.words);
    if (uses.get(v)! > 1) {
      const fresh = f.local("v128");
      kept.set(v, fresh);
      f.tee(fresh);
    }
  };

  emit(body.value);
  const { otherwise } = body;
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
