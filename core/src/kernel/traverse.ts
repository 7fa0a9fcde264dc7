import { type BufferId, type Expr, visitExpr } from "./expr.js";
import type { Kernel, KernelOutput } from "./schedule.js";

/** All that a kernel writes. */
export const writesOf = (kernel: Kernel): readonly KernelOutput[] => (kernel.stores ? [...kernel.outputs, ...kernel.stores] : kernel.outputs);

/** Visits every distinct expression of a kernel once, operands first. */
export function visitKernel(kernel: Kernel, f: (e: Expr) => void): void {
  const seen = new Set<Expr>();
  for (const a of kernel.accumulators) visitExpr(a.value, f, seen);
  for (const o of writesOf(kernel)) {
    visitExpr(o.value, f, seen);
    if (o.base) visitExpr(o.base, f, seen);
  }
}

/** The kernel with `f` of its expressions in their place; `place` may move what is written. */
export function mapExprs(kernel: Kernel, f: (e: Expr) => Expr, place: (o: KernelOutput) => KernelOutput = (o) => o): Kernel {
  const output = (o: KernelOutput): KernelOutput => ({ ...place(o), base: o.base && f(o.base), value: f(o.value) });
  return {
    ...kernel,
    accumulators: kernel.accumulators.map((a) => ({ ...a, value: f(a.value) })),
    outputs: kernel.outputs.map(output),
    ...(kernel.stores && { stores: kernel.stores.map(output) }),
  };
}

/** The buffers that some of these expressions read. */
export function buffersRead(exprs: Iterable<Expr | undefined>): Set<BufferId> {
  const read = new Set<BufferId>();
  const seen = new Set<Expr>();
  for (const e of exprs) if (e) visitExpr(e, (x) => { if (x.op === "load" || x.op === "gather") read.add(x.buffer); }, seen);
  return read;
}
