import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import { isFloat } from "../base/dtype.js";
import type { AnyPrimitive } from "../ir/primitive.js";
import { bind } from "../trace/trace.js";
import { differentiableInputs, drawInputs, operandsOf, type Sample, samplesOf, seededRandom } from "./samples.js";

/** A primitive applied to one drawing of one sample. */
export interface Case {
  /** `sample 2, seed 1`, for messages. */
  readonly name: string;
  readonly sample: Sample;
  readonly seed: number;
  readonly inputs: readonly ConcreteArray[];
  /** The primitive as a function of all drawn inputs. */
  readonly apply: (...inputs: NDArray[]) => NDArray[];
}

export interface CaseOptions {
  /** Drawings of each sample (default: two). */
  readonly seeds?: readonly number[];
}

export function casesOf(primitive: AnyPrimitive, { seeds = [1, 2] }: CaseOptions = {}): Case[] {
  return samplesOf(primitive).flatMap((sample, k) =>
    seeds.map((seed) => ({
      name: `${primitive.name}, sample ${k}, seed ${seed}`,
      sample,
      seed,
      inputs: drawInputs(sample, seededRandom(seed)),
      apply: (...inputs: NDArray[]) => bind(primitive, operandsOf(sample, inputs), sample.params),
    })),
  );
}

/** The smooth part of a case: float results as a function of the inputs that take derivatives. */
export interface SmoothCase {
  readonly name: string;
  readonly seed: number;
  readonly at: readonly ConcreteArray[];
  readonly f: (...at: NDArray[]) => NDArray[];
  readonly random: () => number;
}

/** Undefined where there is nothing to differentiate: no float input, or no float result. */
export function smoothCase(c: Case): SmoothCase | undefined {
  const positions = differentiableInputs(c.sample);
  const at = positions.map((i) => c.inputs[i]!);
  if (at.every((x) => x.size === 0)) return undefined;
  const f = (...moved: NDArray[]): NDArray[] => {
    const inputs: NDArray[] = [...c.inputs];
    positions.forEach((i, k) => (inputs[i] = moved[k]!));
    return c.apply(...inputs).filter((y) => isFloat(y.dtype));
  };
  return f(...at).length === 0 ? undefined : { name: c.name, seed: c.seed, at, f, random: seededRandom(c.seed + 1000) };
}

/** An array of random numbers in (-1, 1) of the type of another. */
export function randomLike(x: NDArray, random: () => number): ConcreteArray {
  const data = x.dtype === "float32" ? new Float32Array(x.size) : new Float64Array(x.size);
  for (let i = 0; i < data.length; i++) data[i] = 2 * random() - 1;
  return ConcreteArray.fromHost(data, { ...x.aval, weak: false });
}

/** `x + t v`, elementwise on the host. */
export function moved(x: ConcreteArray, v: ConcreteArray, t: number): ConcreteArray {
  const [a, b] = [x.data, v.data];
  const data = x.dtype === "float32" ? new Float32Array(x.size) : new Float64Array(x.size);
  for (let i = 0; i < data.length; i++) data[i] = a[i]! + t * b[i]!;
  return ConcreteArray.fromHost(data, { ...x.aval, weak: false });
}
