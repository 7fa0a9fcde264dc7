import type { NDArray } from "@hessia/core";
import { type Aval, currentTrace, evaluateProgram, formatAval, Program, runTrace, stage, Var } from "@hessia/core/extend";
import { backwardPass } from "./backward-pass.js";
import { JvpTrace } from "./jvp-trace.js";
import { LinearTrace, neededEquations } from "./linear-trace.js";
import { instantiate, isNonzero, Zero } from "./zero.js";

/** What is derived from a Program is kept with it, as long as it holds no arrays of a running trace. */
const memory = new WeakMap<Program, Map<string, { readonly captured: readonly NDArray[] }>>();
export function remember<T extends { readonly captured: readonly NDArray[] }>(program: Program, key: string, make: () => T): T {
  const found = memory.get(program)?.get(key);
  if (found) return found as T;
  const made = make();
  if (made.captured.length === 0) {
    if (!memory.has(program)) memory.set(program, new Map());
    memory.get(program)!.set(key, made);
  }
  return made;
}
export const maskKey = (mask: readonly boolean[]): string => mask.map((b) => (b ? 1 : 0)).join("");
export const pick = <T>(list: readonly T[], mask: readonly boolean[], value = true): T[] => list.filter((_, i) => mask[i] === value);

export interface JvpProgram {
  /** Inputs: captured arrays, the inputs, the tangents of those marked. Outputs: the outputs, the tangents of those marked in `nonzeroOut`. */
  readonly program: Program;
  readonly captured: readonly NDArray[];
  readonly nonzeroOut: readonly boolean[];
}

/** Values and tangents of a Program. Outputs marked in `force` have a tangent, zero or not. */
export function jvpProgram(program: Program, nonzeroIn: readonly boolean[], force: readonly boolean[] = []): JvpProgram {
  return remember(program, `jvp ${maskKey(nonzeroIn)} ${maskKey(force)}`, () => {
    let nonzeroOut: boolean[] = [];
    const n = program.inputs.length;
    const staged = stage((...args) => {
      const trace = new JvpTrace(currentTrace(), "jvp");
      let next = n;
      const inputs = program.inputs.map((_, i) => (nonzeroIn[i] ? trace.wrap(args[i]!, args[next++]!) : args[i]!));
      const outputs = runTrace(trace, () => evaluateProgram(program, inputs)).map((y) => trace.unwrap(y));
      nonzeroOut = outputs.map(([, t], i) => isNonzero(t) || force[i] === true);
      return [...outputs.map(([p]) => p), ...pick(outputs, nonzeroOut).map(([, t]) => instantiate(t))];
    }, [...program.inputTypes, ...pick(program.inputTypes, nonzeroIn)], "jvp");
    return { ...staged, nonzeroOut };
  });
}

export interface SplitProgram {
  /** Inputs: captured arrays, the known inputs. Outputs: the known outputs, the residuals. */
  readonly known: Program;
  readonly captured: readonly NDArray[];
  /** Inputs: the residuals, the linear inputs. Outputs: those marked in `linearOut`. */
  readonly linear: Program;
  readonly linearOut: readonly boolean[];
  readonly residualTypes: readonly Aval[];
}

/** Splits a Program into what its known inputs determine and what is linear in the others. Outputs marked in `force` count as linear. */
export function splitProgram(program: Program, linearIn: readonly boolean[], force: readonly boolean[] = []): SplitProgram {
  return remember(program, `split ${maskKey(linearIn)} ${maskKey(force)}`, () => {
    let linear!: Program;
    let linearOut: boolean[] = [];
    let residualTypes: Aval[] = [];
    const staged = stage((...knownInputs) => {
      const trace = new LinearTrace(currentTrace());
      const { outputs, map } = runTrace(trace, () => {
        let next = 0;
        const ys = evaluateProgram(program, program.inputs.map((v, i) => (linearIn[i] ? trace.input(v.aval) : knownInputs[next++]!)));
        linearOut = ys.map((y, i) => trace.isLinear(y) || force[i] === true);
        return { outputs: pick(ys, linearOut, false), map: trace.finish(pick(ys, linearOut)) };
      });
      linear = map.program;
      residualTypes = map.residuals.map((r) => r.aval);
      return [...outputs, ...map.residuals];
    }, pick(program.inputTypes, linearIn, false), "linearize");
    return { known: staged.program, captured: staged.captured, linear, linearOut, residualTypes };
  });
}

export interface TransposedProgram {
  /** Inputs: captured arrays, the known inputs, the nonzero cotangents. Outputs: the cotangents of the linear inputs marked in `nonzeroOut`. */
  readonly program: Program;
  readonly captured: readonly NDArray[];
  readonly nonzeroOut: readonly boolean[];
}

/** The transpose of a Program by its linear inputs. Parts that its known inputs determine are computed first. */
export function transposeProgram(program: Program, linearIn: readonly boolean[], nonzeroCt: readonly boolean[], force: readonly boolean[] = []): TransposedProgram {
  return remember(program, `transpose ${maskKey(linearIn)} ${maskKey(nonzeroCt)} ${maskKey(force)}`, () => {
    let nonzeroOut: boolean[] = [];
    const knownTypes = pick(program.inputTypes, linearIn, false);
    const staged = stage((...args) => {
      let next = knownTypes.length;
      const cts = program.outputs.map((a, i) => (nonzeroCt[i] ? args[next++]! : new Zero(a.aval)));
      const out = pullBack(program, linearIn, args.slice(0, knownTypes.length), cts);
      nonzeroOut = out.map((t, i) => isNonzero(t) || force[i] === true);
      return pick(out, nonzeroOut).map(instantiate);
    }, [...knownTypes, ...pick(program.outputs.map((a) => a.aval), nonzeroCt)], "transpose");
    return { ...staged, nonzeroOut };
  });
}

/** Cotangents of the linear inputs of a Program, whose known part is evaluated first under the current trace. */
export function pullBack(program: Program, linearIn: readonly boolean[], known: readonly NDArray[], cotangents: readonly (NDArray | Zero)[]): (NDArray | Zero)[] {
  const trace = new LinearTrace(currentTrace());
  const map = runTrace(trace, () => {
    let next = 0;
    return trace.finish(evaluateProgram(program, program.inputs.map((v, i) => (linearIn[i] ? trace.input(v.aval) : known[next++]!))));
  });
  return backwardPass(map.program, map.residuals, cotangents);
}

const views = new WeakMap<Program, Map<string, Program>>();
function view(program: Program, key: string, make: () => Program): Program {
  let known = views.get(program);
  if (!known) views.set(program, (known = new Map()));
  let found = known.get(key);
  if (!found) known.set(key, (found = make()));
  return found;
}

/** The Program with inputs in another order, some perhaps left out. `order` names input positions, or gives types of inputs to ignore. */
export function withInputs(program: Program, order: readonly (number | Aval)[]): Program {
  return view(program, `inputs ${order.map((o) => (typeof o === "number" ? o : formatAval(o))).join()}`, () =>
    new Program(order.map((o) => (typeof o === "number" ? program.inputs[o]! : new Var(o))), program.constants, program.equations, program.outputs));
}

/** The Program with these of its outputs, and only the equations they need. */
export function withOutputs(program: Program, positions: readonly number[]): Program {
  return view(program, `outputs ${positions.join()}`, () => {
    const outputs = positions.map((i) => program.outputs[i]!);
    return new Program(program.inputs, program.constants, neededEquations(program.equations, outputs), outputs);
  });
}
