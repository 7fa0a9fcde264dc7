import { ConcreteArray } from "../array/concrete.js";
import type { NDArray } from "../array/ndarray.js";
import type { Backend } from "../backends/backend.js";
import { devices, getBackend } from "../backends/registry.js";
import { BackendError, HessiaError } from "../base/errors.js";
import { range } from "../base/shape.js";
import { sameType } from "../ir/aval.js";
import { type AnyPrimitive, findRule, type RuleKind } from "../ir/primitive.js";
import { nestedPrograms } from "../ir/program.js";
import { batchRule } from "../trace/batching.js";
import { lowerRule } from "../lower/lowering.js";
import { bind } from "../trace/trace.js";
import { stage } from "../trace/stage.js";
import * as np from "../numpy/index.js";
import { jit } from "../transforms/jit.js";
import { vmap } from "../transforms/vmap.js";
import { type Case, type CaseOptions, casesOf, moved, randomLike } from "./cases.js";
import { type Law, type Nearness, requireNear, requireNearNumbers, violated } from "./law.js";
import { passLaw, textLaw } from "./program-laws.js";
import { drawInputs, operandsOf, samplesOf, seededRandom } from "./samples.js";

function law(name: string, primitive: AnyPrimitive, options: CaseOptions, check: (c: Case) => void): Law {
  return {
    name,
    check: () => {
      const cases = casesOf(primitive, options);
      cases.forEach(check);
      return cases.length;
    },
  };
}

/** Every slot that must be full: lowering, batching (of primitives with inputs), and the kinds given. */
export const rulesLaw = (primitive: AnyPrimitive, kinds: readonly RuleKind<unknown>[] = []): Law => ({
  name: "has its rules",
  check: () => {
    const takesInputs = samplesOf(primitive).length === 0 || samplesOf(primitive).some((s) => s.inputs.length > 0);
    const needed: RuleKind<unknown>[] = [lowerRule as RuleKind<unknown>, ...(takesInputs ? [batchRule as RuleKind<unknown>] : []), ...kinds];
    for (const kind of needed) if (findRule(primitive, kind) === undefined) violated(`${primitive.name}: no ${kind.name} rule`);
    return needed.length;
  },
});

/** Results have the types that abstract evaluation promises. */
export const typesLaw = (primitive: AnyPrimitive, options: CaseOptions = {}): Law =>
  law("results have the promised types", primitive, options, (c) => {
    const operands = operandsOf(c.sample, c.inputs);
    const types = primitive.abstractEval(operands.map((x) => x.aval), c.sample.params);
    const results = c.apply(...c.inputs);
    if (results.length !== types.length) violated(`${c.name}: ${results.length} results, abstract evaluation gives ${types.length}`);
    results.forEach((y, i) => {
      if (!sameType(y.aval, types[i]!) || (y as ConcreteArray).data.length !== y.size) violated(`${c.name}: result ${i} is ${y.dtype}[${y.shape.join()}] with ${y.data.length} elements, promised ${types[i]!.dtype}[${types[i]!.shape.join()}]`);
    });
  });

/** A compiled function of one operation computes what the operation computes, to the bit. */
export const jitLaw = (primitive: AnyPrimitive, options: CaseOptions = {}): Law =>
  law("jit equals eager", primitive, options, (c) => {
    const operands = operandsOf(c.sample, c.inputs);
    const expected = bind(primitive, operands, c.sample.params);
    const compiled = jit((...xs: NDArray[]) => bind(primitive, xs, c.sample.params))(...operands);
    expected.forEach((y, i) => requireNear(compiled[i]!, y, {}, `${c.name}: result ${i} under jit`));
  });

/** Examples for `vmap`: the inputs, and two neighbours of them (new drawings of inputs that are not floats). */
function examples(c: Case): (readonly ConcreteArray[])[] {
  const random = seededRandom(c.seed + 2000);
  return [c.inputs, ...[1, 2].map((k) => {
    const fresh = drawInputs(c.sample, seededRandom(c.seed + 3000 + k));
    return c.inputs.map((x, i) => (x.dtype === "float32" || x.dtype === "float64" ? moved(x, randomLike(x, random), 0.01) : fresh[i]!));
  })];
}

/** `vmap` equals a loop over the examples, with all operands mapped and with each alone, at the first axis and at the last. */
export const vmapLaw = (primitive: AnyPrimitive, options: CaseOptions = {}): Law =>
  law("vmap equals a loop", primitive, { seeds: [1], ...options }, (c) => {
    if (c.inputs.length === 0) return;
    const operands = examples(c).map((xs) => operandsOf(c.sample, xs));
    const count = operands[0]!.length;
    const patterns = [range(count).map(() => true), ...(count > 1 ? range(count).map((k) => range(count).map((i) => i === k)) : [])];
    for (const mapped of patterns)
      for (const last of [false, true]) {
        const expected = operands.map((xs) => bind(primitive, xs.map((x, i) => (mapped[i] ? x : operands[0]![i]!)), c.sample.params));
        const axes = operands[0]!.map((x, i) => (mapped[i] ? (last ? x.ndim : 0) : null));
        const stacked = operands[0]!.map((x, i) => (mapped[i] ? np.stack(operands.map((xs) => xs[i]!), last ? -1 : 0) : x));
        const together = vmap((...xs: NDArray[]) => bind(primitive, xs, c.sample.params), { inAxes: axes })(...stacked);
        together.forEach((y, i) => requireNear(y, np.stack(expected.map((ys) => ys[i]!)), { ofScale: y.dtype === "float32" ? 1e-6 : 1e-14 }, `${c.name}: result ${i} under vmap with inAxes [${axes.map(String).join()}]`));
      }
  });

/** The array's elements on another device, float64 as float32 if asked. */
function onBackend(x: NDArray, backend: Backend, low: boolean): ConcreteArray {
  const lower = low && x.dtype === "float64";
  return ConcreteArray.fromHost(lower ? Float32Array.from(x.data) : x.data.slice(), { ...x.aval, dtype: lower ? "float32" : x.dtype }, backend);
}
const inFloat32 = (params: object): object => ("dtype" in params && params.dtype === "float64" ? { ...params, dtype: "float32" } : params);

export interface BackendLawOptions extends CaseOptions {
  /** How near to the reference, by dtype (default: float64 4e-15 and float32 2e-6 of the largest element). */
  readonly near?: { readonly float32?: Nearness; readonly float64?: Nearness };
  /** Routines that the device lacks: it may refuse them with a BackendError, which is told here. Without this, a refusal breaks the law. */
  readonly onRefusal?: (primitive: AnyPrimitive, error: BackendError) => void;
}

/** A device computes what the reference computes, within its bound, in float64 (if it has it) and float32. Asynchronous devices are awaited. */
export const backendLaw = (primitive: AnyPrimitive, backend: Backend, options: BackendLawOptions = {}): Law => ({
  name: `${backend.name} agrees with the reference`,
  check: async () => {
    const reference = getBackend("reference");
    const precisions = backend.dtypes.has("float64") ? [false, true] : [true];
    let count = 0;
    for (const c of casesOf(primitive, options))
      for (const low of precisions) {
        const operands = operandsOf(c.sample, c.inputs);
        const params = low ? inFloat32(c.sample.params) : c.sample.params;
        const here = operands.map((x) => onBackend(x, reference, low));
        const there = operands.map((x) => onBackend(x, backend, low));
        // Nested Programs of float64 do not take float32.
        if (low && !takes(primitive, here, params)) continue;
        const expected = bind(primitive, here, params);
        if (expected.some((y) => !backend.dtypes.has(y.dtype))) continue;
        let results: NDArray[];
        let values: ArrayLike<number>[];
        try {
          results = bind(primitive, there, params);
          values = await Promise.all(results.map((y) => y.read()));
        } catch (e) {
          if (!(e instanceof BackendError) || !options.onRefusal) throw e;
          options.onRefusal(primitive, e);
          continue;
        }
        expected.forEach((y, i) => {
          if (!sameType(y.aval, results[i]!.aval)) violated(`${c.name}: result ${i} has another type than on the reference`);
          const near = y.dtype === "float64" ? (options.near?.float64 ?? { ofScale: 4e-15 }) : y.dtype === "float32" ? (options.near?.float32 ?? { ofScale: 2e-6 }) : {};
          requireNearNumbers(values[i]!, y.data, { ...near, absolute: c.sample.noise ?? 0 }, `${c.name}${low ? " in float32" : ""}: result ${i} on ${backend.name}`);
        });
        count++;
      }
    return count;
  },
});

function takes(primitive: AnyPrimitive, operands: readonly NDArray[], params: object): boolean {
  if (nestedPrograms(params).length > 0) return operands.every((x) => x.dtype !== "float32");
  try {
    primitive.abstractEval(operands.map((x) => x.aval), params);
    return true;
  } catch (e) {
    if (e instanceof HessiaError) return false;
    throw e;
  }
}

/** A case as a Program of its own, with its inputs. */
export function caseProgram(c: Case) {
  const { program, captured } = stage((...xs) => c.apply(...xs), c.inputs.map((x) => x.aval));
  return { program, inputs: [...captured, ...c.inputs] };
}

/** Printing and parsing gives the Program back. */
export const printLaw = (primitive: AnyPrimitive, options: CaseOptions = {}): Law =>
  law("print and parse", primitive, options, (c) => {
    const { program, inputs } = caseProgram(c);
    textLaw(program, inputs, c.name);
  });

/** Each pass, and all of them together, leave the meaning of the primitive's Program as it is. */
export const passesLaw = (primitive: AnyPrimitive, options: CaseOptions = {}): Law =>
  law("optimizer passes preserve meaning", primitive, options, (c) => {
    const { program, inputs } = caseProgram(c);
    passLaw(program, inputs, c.name);
  });

/**
 * The laws of a primitive that need no derivatives, for any test runner: its rules are there, abstract evaluation tells the truth, `jit` and
 * `vmap` agree with eager evaluation, every registered synchronous device agrees with the reference, its Programs print and parse, and the
 * optimizer's passes keep their meaning. It needs a `samples` rule, or a domain if it is elementwise.
 * @example
 * defineRule(softsign, samples, () => [{ inputs: [realInput([3])], params: {} }]);
 * for (const law of primitiveLaws(softsign)) test(law.name, async () => { await law.check(); });
 */
export const primitiveLaws = (primitive: AnyPrimitive, options: CaseOptions = {}): Law[] => [
  rulesLaw(primitive),
  typesLaw(primitive, options),
  jitLaw(primitive, options),
  vmapLaw(primitive, options),
  ...devices().map(getBackend).filter((b) => b.readSync && b.name !== "reference").map((b) => backendLaw(primitive, b, options)),
  printLaw(primitive, options),
  passesLaw(primitive, options),
];
