import type { FunctionBuilder, Local } from "../assembler/index.js";
import type { FunctionLibrary } from "./contract.js";
import { countUses, emitOperation, operandsOf, pushConstant } from "./graph.js";
import type { Body, Value } from "./graph.js";

/**
 * Writes bodies for several arguments at once, operation by operation: one chain's latency is hidden behind the other's, a constant is loaded once
 * for all, and what bodies have in common is computed once (so of several none has rare cases: what a branch computes is not there behind it). `args` are locals by copy, then by argument; what is given back are locals with the
 * results by body, then by copy, the caller's to release.
 */
export function emitLockstep(f: FunctionBuilder, library: FunctionLibrary, args: readonly (readonly Local[])[], bodies: readonly Body[]): Local[][] {
  const uses = countUses(bodies);
  const held = new Map<Value, readonly Local[]>();
  const fresh = (): Local[] => args.map(() => f.local("v128"));
  const release = (locals: readonly Local[]): void => {
    for (const local of locals) f.release(local);
  };
  /** Gives back the locals of a value after its last use. */
  const used = (v: Value): void => {
    const left = uses.get(v)! - 1;
    uses.set(v, left);
    if (left > 0) return;
    const locals = held.get(v);
    if (locals && v.kind !== "argument") release(locals);
    held.delete(v);
  };
  const compute = (v: Value): readonly Local[] => {
    if (v.kind === "argument") return args.map((a) => a[v.index]!);
    const known = held.get(v);
    if (known) return known;
    if (v.kind === "constant") {
      pushConstant(f, library, v);
      const local = f.local("v128");
      f.set(local);
      return args.map(() => local);
    }
    const operands = v.operands.map((x) => ({ x, locals: compute(x) }));
    const results = fresh();
    results.forEach((result, copy) => {
      emitOperation(f, library, v, (x) => f.get(operands.find((o) => o.x === x)!.locals[copy]!));
      f.set(result);
    });
    held.set(v, results);
    for (const { x, locals } of operands)
      if (x.kind === "constant") f.release(locals[0]!);
      else used(x);
    return results;
  };

  const into = (v: Value, targets: readonly Local[]): void => {
    const locals = compute(v);
    targets.forEach((t, copy) => f.get(locals[copy]!).set(t));
    if (v.kind !== "constant") used(v);
    else f.release(locals[0]!);
  };
  /** Puts what is right for lanes that `rare` or `otherwise` cover into the values. */
  const mend = ({ rare, otherwise }: Body, values: readonly Local[]): void => {
    if (rare) {
      const within = fresh();
      into(rare.within, within);
      within.forEach((w, copy) => {
        f.get(w);
        if (copy > 0) f.op("v128.and");
      });
      f.op(rare.mask).i32(rare.mask === "i32x4.bitmask" ? 15 : 3).op("i32.ne").if(() => {
        const others = fresh();
        into(rare.value, others);
        values.forEach((value, copy) => f.get(value).get(others[copy]!).get(within[copy]!).op("v128.bitselect").set(value));
        release(others);
      });
      release(within);
    }
    if (otherwise) {
      const when = fresh();
      into(otherwise.when, when);
      values.forEach((value, copy) =>
        f.get(when[copy]!).op("v128.any_true").if(() => {
          for (const a of args[copy]!) f.get(a);
          f.call(otherwise.call).get(value).get(when[copy]!).op("v128.bitselect").set(value);
        }));
      release(when);
    }
  };
  const results = bodies.map(({ value }) => {
    const values = fresh();
    into(value, values);
    return values;
  });
  bodies.forEach((body, i) => { mend(body, results[i]!); });
  for (const [v, locals] of held) if (operandsOf(v).length > 0) release(locals);
  return results;
}
