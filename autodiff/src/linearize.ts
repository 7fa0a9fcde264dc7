import { DisposedError, type NDArray, type TreeDef } from "@hessia/core";
import { currentTrace, evaluateProgram, flattenResult, hasTangent, runTrace } from "@hessia/core/extend";
import { splitAux } from "./arguments.js";
import { backwardPass } from "./backward-pass.js";
import { deviceToUse, onDevice } from "./devices.js";
import { installDerivatives } from "./install.js";
import { dropTangents } from "./jvp.js";
import { JvpTrace } from "./jvp-trace.js";
import { type LinearMap, LinearTrace } from "./linear-trace.js";
import { instantiate, isNonzero, type Tangent, Zero } from "./zero.js";

installDerivatives();

/** A function at a point: its value, and its derivative as a recorded linear function. */
export interface Linearized {
  readonly primals: NDArray[];
  readonly tree: TreeDef;
  readonly aux: unknown;
  /** Where its constants are made, if not on the default device. */
  readonly device: string | undefined;
  /** J v, flat; for values without tangent `Zero`. */
  push(tangents: readonly Tangent[]): Tangent[];
  /** J^T u, flat. */
  pull(cotangents: readonly Tangent[]): Tangent[];
  /** What is kept of the forward run. */
  residuals(): readonly NDArray[];
  /** Gives the residuals up; the derivative cannot be applied afterwards. */
  dispose(): void;
}

/** Runs `f` once, on flat arguments, and records its derivative. */
export function linearizeFlat(f: (xs: NDArray[]) => unknown, primals: readonly NDArray[], fn: string, hasAux?: boolean): Linearized {
  const linear = new LinearTrace(currentTrace());
  const trace = new JvpTrace(linear, fn);
  const moves = primals.map((x) => hasTangent(x.aval));
  const types = primals.map((x) => x.aval);
  const device = deviceToUse(primals);
  const run = onDevice(device, () => runTrace(linear, () => {
    const inner = runTrace(trace, () => {
      const [out, rest] = splitAux(f(primals.map((x, i) => (moves[i] ? trace.wrap(x, linear.input(x.aval)) : x))), hasAux, fn);
      const [leaves, def] = flattenResult(out, fn);
      return { outs: leaves.map((y) => trace.unwrap(y)), tree: def, aux: dropTangents(rest, trace) };
    });
    return { ...inner, map: linear.finish(inner.outs.flatMap(([, t]) => (isNonzero(t) ? [t] : []))) };
  }));
  const outTypes = run.outs.map(([y]) => y.aval);
  const nonzero = run.outs.map(([, t]) => isNonzero(t));
  let map: LinearMap | undefined = run.map;
  const recorded = (): LinearMap => {
    if (map) return map;
    throw new DisposedError({ fn, expected: "a derivative that still holds its residuals", got: "one that was disposed", fix: "call dispose() after the last use" });
  };
  return {
    primals: run.outs.map(([y]) => y),
    tree: run.tree,
    aux: run.aux,
    device,
    push(tangents) {
      const { program, residuals } = recorded();
      const results = onDevice(device, () => evaluateProgram(program, [...residuals, ...tangents.filter((_, i) => moves[i]).map(instantiate)]));
      let next = 0;
      return outTypes.map((t, i) => (nonzero[i] ? results[next++]! : new Zero(t)));
    },
    pull(cotangents) {
      const { program, residuals } = recorded();
      const out = onDevice(device, () => backwardPass(program, residuals, cotangents.filter((_, i) => nonzero[i])));
      let next = 0;
      return types.map((t, i) => (moves[i] ? out[next++]! : new Zero(t)));
    },
    residuals: () => recorded().residuals,
    dispose() { map = undefined; },
  };
}
