import type { TypedArray } from "../../base/dtype.js";
import { BackendError } from "../../base/errors.js";
import { sizeOf } from "../../base/shape.js";
import { findRoutine } from "../../kernel/routine.js";
import type { Kernel, Operand, Step } from "../../kernel/schedule.js";
import { address, evaluator, scalarValue } from "./evaluate.js";
import { sumOfProducts } from "./product.js";
import { fold } from "./reduce.js";

/** Calls `f` with every index of a box, the last one fastest. The same array each time. */
function forEachIndex(dims: readonly number[], f: (i: number[]) => void): void {
  const i = new Array<number>(dims.length).fill(0);
  for (let n = sizeOf(dims); n > 0; n--) {
    f(i);
    for (let d = dims.length - 1; d >= 0; d--) {
      if (++i[d]! < dims[d]!) break;
      i[d] = 0;
    }
  }
}

function runKernel(kernel: Kernel, buffers: readonly TypedArray[]): void {
  const results: number[] = kernel.accumulators.map(() => 0);
  const values = kernel.accumulators.map((a) => evaluator(a.value, buffers));
  const outputs = kernel.outputs.map((o) => ({ data: buffers[o.buffer]!, index: o.index, base: scalarValue(o.base, buffers), value: evaluator(o.value, buffers, results) }));
  const product = sumOfProducts(kernel, buffers);
  const stores = (kernel.stores ?? []).map((o) => ({ data: buffers[o.buffer]!, index: o.index, base: scalarValue(o.base, buffers), value: evaluator(o.value, buffers) }));
  forEachIndex(kernel.dims, (i) => {
    if (product) results[0] = product(i);
    else if (kernel.accumulators.length) {
      const folds = kernel.accumulators.map((a) => fold(a.op, a.op === "argmax" || a.op === "argmin" ? a.value.dtype : a.dtype));
      forEachIndex(kernel.reduceDims, (r) => {
        const all = [...i, ...r];
        const beside = stores.map((o) => o.value(all));
        folds.forEach((f, k) => f.add(values[k]!(all)));
        stores.forEach((o, k) => (o.data[address(o.index, all) + o.base] = beside[k]!));
      });
      folds.forEach((f, k) => (results[k] = f.result()));
    }
    const computed = outputs.map((o) => o.value(i));
    outputs.forEach((o, k) => (o.data[address(o.index, i) + o.base] = computed[k]!));
  });
}

function runRoutine(name: string, params: object, inputs: readonly Operand[], outputs: readonly Operand[], buffers: readonly TypedArray[]): void {
  const routine = findRoutine(name);
  if (!routine) throw new BackendError({ fn: name, expected: "a routine of this name", got: "none", fix: "import the package that defines it, or defineRoutine" });
  const bound = (o: Operand) => ({ data: buffers[o.buffer]!, shape: o.shape, dtype: o.dtype });
  routine.reference(inputs.map(bound), outputs.map(bound), params);
}

/** The living definition of every step. */
export function runSteps(steps: readonly Step[], buffers: readonly TypedArray[]): void {
  for (const step of steps) {
    switch (step.kind) {
      case "kernel": runKernel(step.kernel, buffers); break;
      case "routine": runRoutine(step.name, step.params, step.inputs, step.outputs, buffers); break;
      case "copy": {
        const from = scalarValue(step.fromBase, buffers);
        buffers[step.to]!.set(buffers[step.from]!.subarray(from, from + step.count), scalarValue(step.toBase, buffers));
        break;
      }
      case "for":
        for (let k = 0; k < step.count; k++) {
          buffers[step.counter]![0] = step.reverse ? step.count - 1 - k : k;
          runSteps(step.body, buffers);
        }
        break;
      case "while":
        for (;;) {
          runSteps(step.condition, buffers);
          if (!buffers[step.predicate]![0]) break;
          runSteps(step.body, buffers);
        }
        break;
      case "branch": runSteps(step.branches[Math.min(Math.max(buffers[step.index]![0]!, 0), step.branches.length - 1)]!, buffers); break;
    }
  }
}
