import { type NDArray, withDevice } from "@hessia/core";
import { isFloat, printProgram, type Program } from "@hessia/core/extend";
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
  toString(): string;
}

const nat = fc.nat({ max: 997 });
const step = (depth: number): fc.Arbitrary<Step> => fc.record({ operation: fc.noBias(nat), choices: fc.array(nat, { minLength: 3, maxLength: 8 }), body: depth > 0 ? fc.array(step(depth - 1), { maxLength: 4 }) : fc.constant<Step[]>([]) });

/** Everything that a program is made of, in a form that fast-check shrinks: fewer steps, smaller numbers. */
export const recipe = (maxSteps = 14): fc.Arbitrary<Recipe> => fc.record({ seed: fc.nat({ max: 2 ** 31 - 1 }), inputs: fc.array(nat, { minLength: 2, maxLength: 4 }), steps: fc.array(step(2), { minLength: 1, maxLength: maxSteps }) });

const shapes: readonly (readonly number[])[] = [[3], [2, 3], [], [4], [3, 2], [2, 2, 2], [1, 3], [5], [4, 4], [0, 2]];
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
  const s = new Scope(noise, random);
  const dtypes = kind.float32 ? (["float32", "float64", "int32", "bool", "uint32"] as const) : (["float64", "float64", "int32", "bool", "uint32"] as const);
  const inputs: NDArray[] = [];
  given.inputs.forEach((k, i) => {
    const dims = shapes[k % shapes.length]!;
    const dtype = i === 0 ? (kind.float32 ? "float32" : "float64") : dtypes[Math.floor(k / shapes.length) % dtypes.length]!;
    const n = dims.reduce((a, b) => a * b, 1);
    inputs.push(arrayOf(Array.from({ length: n }, () => (isFloat(dtype) ? 4 * random() - 2 : dtype === "bool" ? Math.floor(2 * random()) : dtype === "int32" ? Math.floor(9 * random()) - 4 : Math.floor(9 * random()))), { shape: dims, dtype, weak: false }));
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
  const program = s.build(results);
  return {
    program,
    inputs,
    twins: values.map((v) => v.twin),
    used: s.used,
    // Noise of size `noise` an operation made `worst`; rounding is some 1e-14 (1e-6 in float32), tenfold for luck.
    tolerance: kind.float32 ? Math.max(1e-5, worst) : Math.max(1e-12, (worst / noise) * 1e-13),
    floats: inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : [])),
    toString: () => `\n${printProgram(program)}\non ${JSON.stringify(inputs.map((x) => Array.from(x.data)))}\n`,
  };
}

/** Recipes with the program in the failure's message. */
export const randomProgram = (kind: Kind = {}): fc.Arbitrary<RandomProgram> => recipe(kind.maxSteps).map((r) => build(r, kind)).filter((p): p is RandomProgram => p !== undefined);
