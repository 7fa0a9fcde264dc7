import { type NDArray, withDevice } from "@hessia/core";
import { type Aval, isFloat, printProgram, type Program } from "@hessia/core/extend";
import { seededRandom } from "@hessia/core/testing";
import fc from "fast-check";
import { controlFlow } from "./control-flow.js";
import { Choices, type Production, productions } from "./productions.js";
import { arrayOf, deviation, Scope } from "./scope.js";

export interface Step { readonly operation: number; readonly choices: readonly number[]; readonly body: readonly Step[] }
export interface Recipe { readonly seed: number; readonly inputs: readonly number[]; readonly steps: readonly Step[] }

export interface Kind {
  /** Programs for derivatives: no float32, whose rounding hides differences, and nothing whose derivative is zero by decree. */
  readonly smooth?: boolean;
  readonly float32?: boolean;
  readonly maxSteps?: number;
  /** Loops that reverse mode cannot turn around. */
  readonly noWhile?: boolean;
  /** Arrays of some thousand elements, whose sizes lie around those of vectors and blocks. */
  readonly wide?: boolean;
  /** Nothing is rounded by choice: NaN, infinities, -0 and the ends of the integers are among the inputs. */
  readonly exact?: boolean;
}

export interface RandomProgram {
  readonly program: Program;
  /** On the reference device, as the twins are. */
  readonly inputs: readonly NDArray[];
  /** The inputs with noise: the program behaves alike on them. */
  readonly twins: readonly NDArray[];
  readonly used: ReadonlySet<string>;
  /** How much the results may differ between correct implementations, relative to the largest element. */
  readonly tolerance: number;
  /** Positions of float inputs. */
  readonly floats: readonly number[];
  /** The results, computed step by step on the reference device. */
  readonly expected: readonly NDArray[];
  toString(): string;
}

const nat = fc.nat({ max: 997 });
const step = (depth: number): fc.Arbitrary<Step> => fc.record({ operation: fc.noBias(nat), choices: fc.array(nat, { minLength: 3, maxLength: 8 }), body: depth > 0 ? fc.array(step(depth - 1), { maxLength: 4 }) : fc.constant<Step[]>([]) });

/** Everything that a program is made of, in a form that fast-check shrinks: fewer steps, smaller numbers. */
export const recipe = (maxSteps = 14): fc.Arbitrary<Recipe> => fc.record({ seed: fc.nat({ max: 2 ** 31 - 1 }), inputs: fc.array(nat, { minLength: 2, maxLength: 4 }), steps: fc.array(step(2), { minLength: 1, maxLength: maxSteps }) });

const shapes: readonly (readonly number[])[] = [[3], [2, 3], [], [4], [3, 2], [2, 2, 2], [1, 3], [5], [4, 4], [0, 2]];
const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129];
/** Shapes of three sizes, so that arrays fit each other. */
function wideShapes(random: () => number): readonly (readonly number[])[] {
  const [a, b] = [0, 1].map(() => sizes[Math.floor(random() * sizes.length)]!) as [number, number];
  const c = 1 + Math.floor(random() * 5);
  return [[a], [a, b], [b, a], [b], [c, a], [a, c], [a, 1], [1, b], [], [c, a, c], [a, b], [b, c, 2], [2 * a], [a, a], [0, a]].filter((s) => s.reduce((n, d) => n * d, 1) <= wideSize / 2);
}
const wideSize = 12_000;

const ends = {
  float: [NaN, Infinity, -Infinity, -0, 0, 5e-324, -1e-310, 1.7e308, -1.7e308, 0.5, -0.5, 1.5, 2.5, -1, 1, 2 ** 31, -(2 ** 31), 2 ** 32, -2147483649, 4294967295.5, 1e300, 3, 1e-45, 3.4e38],
  int32: [-2147483648, 2147483647, -1, 0, 1, 2, 31, 32, 33, -32, 65535, 65536, 7],
  uint32: [0, 1, 4294967295, 2147483648, 2147483647, 31, 32, 33, 5],
  bool: [0, 1],
};
/** An element of an input. */
function element(dtype: Aval["dtype"], random: () => number, exact: boolean): number {
  if (exact && random() < 0.5) {
    const list = isFloat(dtype) ? ends.float : ends[dtype as "int32"];
    return list[Math.floor(random() * list.length)]!;
  }
  return isFloat(dtype) ? 4 * random() - 2 : dtype === "bool" ? Math.floor(2 * random()) : dtype === "int32" ? Math.floor(9 * random()) - 4 : Math.floor(9 * random());
}

const byDecree = new Set(["stopGradient", "nextafter"]);

function fill(kind: Kind, steps: readonly Step[], depth: number): (s: Scope) => void {
  return (s) => {
    for (const { operation, choices, body } of steps) {
      const nested = depth > 0 ? [...controlFlow(fill(kind, body, depth - 1))].filter(([name]) => !(kind.noWhile && name === "while")) : [];
      // One step in six is control flow.
      const flat = [...productions].filter(([name]) => !(kind.smooth && byDecree.has(name)));
      const list: readonly (readonly [string, Production])[] = nested.length > 0 && operation % 6 === 0 ? nested : flat;
      list[Math.floor(operation / 6) % list.length]![1](s, new Choices(choices))?.forEach((v) => s.keep(v));
    }
  };
}

/** Builds the program of a recipe, trying it on the reference device; undefined when it has no result. */
export const build = (given: Recipe, kind: Kind = {}): RandomProgram | undefined => withDevice("reference", () => write(given, kind));

function write(given: Recipe, kind: Kind): RandomProgram | undefined {
  const random = seededRandom(given.seed);
  const noise = kind.float32 ? 1e-5 : 1e-7;
  const s = new Scope({ noise, maxSize: kind.wide ? wideSize : 200, exact: kind.exact ?? false }, random);
  const own = kind.wide ? wideShapes(random) : shapes;
  const dtypes = kind.float32 ? (["float32", "float64", "int32", "bool", "uint32"] as const) : (["float64", "float64", "int32", "bool", "uint32"] as const);
  const inputs: NDArray[] = [];
  given.inputs.forEach((k, i) => {
    const dims = own[k % own.length]!;
    const dtype = i === 0 ? (kind.float32 ? "float32" : "float64") : dtypes[Math.floor(k / own.length) % dtypes.length]!;
    const n = dims.reduce((a, b) => a * b, 1);
    inputs.push(arrayOf(Array.from({ length: n }, () => element(dtype, random, kind.exact ?? false)), { shape: dims, dtype, weak: false }));
  });
  // Rounded to the dtype before anything is computed.
  const values = inputs.map((x) => s.input(x));
  fill(kind, given.steps, 2)(s);
  const made = s.values.slice(values.length);
  if (made.length === 0) return undefined;
  // Results: what no equation reads, and the last value.
  const read = new Set(s.builder.equations.flatMap((e) => e.inputs));
  const results = made.filter((v, i) => !read.has(v.atom) || i === made.length - 1).slice(-5);
  const worst = results.reduce((d, v) => Math.max(d, deviation(v.value, v.twin)), 0);
  // Loops round anew in each turn, which the twin's noise does not show. Where they are chaotic that is many times its deviation in float32.
  if (kind.float32 && worst > 1e-3) return undefined;
  const program = s.build(results);
  return {
    program,
    inputs,
    twins: values.map((v) => v.twin),
    used: s.used,
    // Noise of size `noise` an operation made `worst`; rounding is some 1e-14 (1e-6 in float32), tenfold for luck, and in float32 for loops again.
    tolerance: kind.exact ? 0 : kind.float32 ? Math.max(1e-5, 10 * worst) : Math.max(1e-12, (worst / noise) * 1e-13),
    floats: inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : [])),
    expected: results.map((v) => v.value),
    toString: () => `\n${printProgram(program)}\non ${JSON.stringify(inputs.map((x) => Array.from(x.data.slice(0, 200), (v) => (Number.isFinite(v) && !Object.is(v, -0) ? v : Object.is(v, -0) ? "-0" : String(v)))))}\nof the recipe ${JSON.stringify(given)}\n`,
  };
}

/** Recipes with the program in the failure's message. */
export const randomProgram = (kind: Kind = {}): fc.Arbitrary<RandomProgram> => recipe(kind.maxSteps).map((r) => build(r, kind)).filter((p): p is RandomProgram => p !== undefined);
