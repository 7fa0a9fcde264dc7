import type { NDArray } from "@hessia/core";
import { jvp } from "@hessia/autodiff";
import { defineDerivative, instantiate, isNonzero, type Tangent, Zero } from "@hessia/autodiff/extend";
import { batchProgram, bind, definePrimitive, evaluateProgram, type Primitive, type Program, toBatch } from "@hessia/core/extend";

/**
 * `A x = b` for a symmetric operator A given as a Program. Inputs: `constants` values that A and the solver close over, b, then the starting
 * point. Outputs: x, then `extras` diagnostics without derivative. Derivatives come from the equation, not from the solver's iterations:
 * `A dx = db - dA x`, and the transpose solves with A again.
 */
export interface OperatorSolveParams {
  /** (constants, b, x0) -> (x, extras): what runs. */
  readonly program: Program;
  /** (constants, x) -> A x. */
  readonly matvec: Program;
  readonly constants: number;
  /** Number of arrays in b, and in x. */
  readonly parts: number;
  readonly extras: number;
}

export const operatorSolve: Primitive<OperatorSolveParams> = definePrimitive<OperatorSolveParams>({
  name: "linalg.operatorSolve",
  call: true,
  abstractEval: (_inputs, { program }) => program.outputTypes,
  batch(n, values, dims, params) {
    const { constants, parts } = params;
    const aligned = values.map((x, i) => (i < constants ? x : toBatch(n, x, dims[i]!)));
    const inDims = values.map((_, i) => (i < constants ? dims[i]! : 0));
    const program = batchProgram(params.program, n, inDims, true).program;
    const matvec = batchProgram(params.matvec, n, inDims.slice(0, constants + parts), true).program;
    const outputs = bind(operatorSolve, aligned, { ...params, program, matvec });
    return { outputs, dims: outputs.map(() => 0) };
  },
  lower: (ctx, inputs, { program }) => ctx.program(program, inputs),
});

defineDerivative<OperatorSolveParams>(operatorSolve, () => ({
  jvp(primals, tangents, params) {
    const { constants, parts } = params;
    const outputs = bind(operatorSolve, primals, params);
    const x = outputs.slice(0, parts);
    const closed = primals.slice(0, constants);
    const start = primals.slice(constants + parts);
    let rhs: Tangent[] = tangents.slice(constants, constants + parts);
    const moving = closed.flatMap((_, i) => (isNonzero(tangents[i]!) ? [i] : []));
    if (moving.length > 0) {
      const apply = (...moved: NDArray[]) => {
        const all = [...closed];
        moving.forEach((at, k) => (all[at] = moved[k]!));
        return evaluateProgram(params.matvec, [...all, ...x]);
      };
      const [, dax] = jvp(apply as (...a: NDArray[]) => NDArray[], moving.map((i) => closed[i]!), moving.map((i) => tangents[i] as NDArray)) as unknown as [NDArray[], NDArray[]];
      rhs = rhs.map((db, i) => (isNonzero(db) ? db.sub(dax[i]!) : dax[i]!.neg()));
    }
    const extras = outputs.slice(parts).map((y) => new Zero(y.aval));
    if (!rhs.some(isNonzero)) return { primals: outputs, tangents: [...x.map((y) => new Zero(y.aval)), ...extras] };
    const zeroStart = start.map((s) => instantiate(new Zero(s.aval)));
    return { primals: outputs, tangents: [...bind(operatorSolve, [...closed, ...rhs.map(instantiate), ...zeroStart], params).slice(0, parts), ...extras] };
  },
  transpose(cotangents, inputs, params) {
    const { constants, parts } = params;
    const closed = inputs.slice(0, constants) as NDArray[];
    const start = inputs.slice(constants + parts) as NDArray[];
    const ct = cotangents.slice(0, parts).map(instantiate);
    const solved = bind(operatorSolve, [...closed, ...ct, ...start.map((s) => instantiate(new Zero(s.aval)))], params).slice(0, parts);
    return [...closed.map(() => null), ...solved, ...start.map(() => null)];
  },
}));
