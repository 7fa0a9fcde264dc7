import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import { type DType, isFloat, newTypedArray } from "../base/dtype.js";
import { RuleError } from "../base/errors.js";
import { type Shape, sizeOf } from "../base/shape.js";
import type { Backend } from "../backends/backend.js";
import { type AnyPrimitive, findRule, type Params, ruleKind } from "../ir/primitive.js";

/** One operand of a sample: its type and the values to draw from. */
export interface SampleInput {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Values lie in `[low, high)`; integers are drawn for integer dtypes. */
  readonly low: number;
  readonly high: number;
  /** Fixed elements instead of drawn ones (indices, counters). */
  readonly values?: readonly number[];
  /** All elements differ (sorting, extrema): no kink within a small step. */
  readonly distinct?: boolean;
  /** Derivatives with respect to this input are part of the laws (default: float inputs). */
  readonly differentiable?: boolean;
}

/** Operands and params on which the laws try a primitive. */
export interface Sample {
  readonly inputs: readonly SampleInput[];
  readonly params: Params;
  /**
   * Makes the operands from the drawn inputs, where the primitive takes only special ones (symmetric matrices, a matrix with its factor):
   * smooth in its float inputs, since the laws differentiate through it.
   */
  readonly prepare?: (inputs: readonly NDArray[]) => readonly NDArray[];
  /** Results below this are rounding errors (the residual of an iteration that has converged). */
  readonly noise?: number;
}

/**
 * The slot that feeds a primitive to the laws. Elementwise primitives that state a `domain` need none.
 * @example defineRule(softsign, samples, () => [{ inputs: [realInput([3])], params: {} }]);
 */
export const samples = ruleKind<() => readonly Sample[]>("samples");

export const realInput = (shape: Shape, low = -2, high = 2, dtype: DType = "float64"): SampleInput => ({ shape, dtype, low, high });
export const distinctInput = (shape: Shape, dtype: DType = "float64"): SampleInput => ({ shape, dtype, low: -2, high: 2, distinct: true });
export const intInput = (shape: Shape, low = -5, high = 6, dtype: DType = "int32"): SampleInput => ({ shape, dtype, low, high });
export const boolInput = (shape: Shape): SampleInput => ({ shape, dtype: "bool", low: 0, high: 2 });
export const fixedInput = (values: readonly number[], shape: Shape = [values.length], dtype: DType = "int32"): SampleInput => ({ shape, dtype, low: 0, high: 0, values });

/** Samples of a primitive: from its slot, or made from its facts. @throws RuleError when there is neither, so that no primitive escapes the laws. */
export function samplesOf(primitive: AnyPrimitive): readonly Sample[] {
  const given = findRule(primitive, samples);
  if (given) return given();
  const { elementwise, domain } = primitive.facts;
  if (elementwise && domain) return [[4], [2, 3], []].map((shape) => ({ inputs: domain.map(([low, high]) => realInput(shape, low, high)), params: {} }));
  throw new RuleError({ fn: primitive.name, expected: "a samples rule (or an elementwise primitive with a domain), so that the laws can try it", got: "none", fix: `defineRule(${primitive.name}, samples, () => [...])` });
}

/** Numbers in [0, 1) from a seed (mulberry32): the same on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Draws the operands of a sample. */
export function drawInputs(sample: Sample, random: () => number, backend?: Backend): ConcreteArray[] {
  return sample.inputs.map((input) => {
    const n = sizeOf(input.shape);
    const data = newTypedArray(input.dtype, n);
    // Distinct values: a shuffled grid with jitter of at most a quarter step.
    const order = Array.from({ length: n }, (_, i) => i).sort(() => random() - 0.5);
    for (let i = 0; i < n; i++) {
      const u = input.distinct ? (order[i]! + 0.5 + 0.5 * (random() - 0.5)) / n : random();
      const v = input.low + (input.high - input.low) * u;
      data[i] = input.values ? input.values[i]! : isFloat(input.dtype) ? v : Math.floor(v);
    }
    return ConcreteArray.fromHost(data, { shape: input.shape, dtype: input.dtype, weak: false }, backend);
  });
}

/** The operands of the primitive for drawn inputs. */
export const operandsOf = (sample: Sample, inputs: readonly NDArray[]): readonly NDArray[] => sample.prepare?.(inputs) ?? inputs;

/** Positions of the drawn inputs by which the laws differentiate. */
export const differentiableInputs = (sample: Sample): number[] => sample.inputs.flatMap((x, i) => ((x.differentiable ?? true) && isFloat(x.dtype) ? [i] : []));
