import type { TypedArray } from "../../base/dtype.js";
import { BackendError } from "../../base/errors.js";
import { sizeOf } from "../../base/shape.js";
import { findRoutine } from "../../kernel/routine.js";
import type { Kernel, KernelOutput, Operand, Step } from "../../kernel/schedule.js";
import { address, evaluator, scalarValue } from "./evaluate.js";
import { sumOfProducts } from "./product.js";
import { fold } from "./reduce.js";

/** Calls `f` with every index of a box in the places of `i` from `first` on, the last one fastest. */
function forEachIndex(dims: readonly number[], i: number[], first: number, f: () => void): void {
  i.fill(0, first, first + dims.length);
  for (let n = sizeOf(dims); n > 0; n--) {
    f();
    for (let d = dims.length - 1; d >= 0; d--) {
      if (++i[first + d]! < dims[d]!) break;
      i[first + d] = 0;
    }
  }
}

/** Writes outputs at loop indices `i`: all values are read before the first is written. */
function writer(outputs: readonly KernelOutput[], buffers: readonly TypedArray[], results?: readonly number[]): (i: readonly number[]) => void {
  const places = outputs.map((o) => ({ data: buffers[o.buffer]!, index: o.index, base: scalarValue(o.base, buffers), value: evaluator(o.value, buffers, results) }));
  const computed = new Float64Array(places.length);
  return (i) => {
    for (let k = 0; k < places.length; k++) computed[k] = places[k]!.value(i);
    for (let k = 0; k < places.length; k++) {
      const { data, index, base } = places[k]!;
      data[address(index, i) + base] = computed[k]!;
    }
  };
}

function runKernel(kernel: Kernel, buffers: readonly TypedArray[]): void {
  const { dims, reduceDims, accumulators, outputs, stores = [] } = kernel;
  const results: number[] = accumulators.map(() => 0);
  const terms = accumulators.map((a) => evaluator(a.value, buffers));
  const [write, writeBeside] = [writer(outputs, buffers, results), writer(stores, buffers)];
  const product = sumOfProducts(kernel, buffers);
  const i = new Array<number>(dims.length + reduceDims.length).fill(0);
  forEachIndex(dims, i, 0, () => {
    if (product) results[0] = product(i);
    else if (accumulators.length > 0) {
      const folds = accumulators.map((a) => fold(a.op, a.op === "argmax" || a.op === "argmin" ? a.value.dtype : a.dtype));
      forEachIndex(reduceDims, i, dims.length, () => {
        for (let k = 0; k < folds.length; k++) folds[k]!.add(terms[k]!(i));
        if (stores.length > 0) writeBeside(i);
      });
      folds.forEach((f, k) => (results[k] = f.result()));
    }
    write(i);
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
