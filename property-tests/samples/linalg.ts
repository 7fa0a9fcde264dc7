import { np, type NDArray } from "@hessia/core";
import { type AnyPrimitive, bind, primitiveByName } from "@hessia/core/extend";
import { realInput, type Sample } from "@hessia/core/testing";
import { cg } from "@hessia/linalg";
import { sampleFromProgram } from "./from-program.js";

const named = (name: string): AnyPrimitive => {
  const found = primitiveByName(name);
  if (!found) throw new Error(`no primitive ${name}`);
  return found;
};
const ramp = (n: number, step: number): NDArray => np.diag(np.multiply(np.arange(1, n + 1), step));
/** Symmetric with eigenvalues far from each other. */
const symmetric = (a: NDArray): NDArray => np.add(np.multiply(0.15, np.add(a, np.matrixTranspose(a))), ramp(a.shape.at(-1)!, 2));
const positive = (a: NDArray): NDArray => np.add(np.matmul(a, np.matrixTranspose(a)), np.eye(a.shape.at(-1)!));
/** Far from singular, and with pivots that a small step does not change. */
const dominant = (a: NDArray): NDArray => np.add(np.multiply(0.3, a), np.flip(ramp(a.shape.at(-1)!, 2), 0));
const separated = (a: NDArray): NDArray => np.add(np.multiply(0.2, a), np.pad(ramp(a.shape.at(-1)!, 2), [[0, a.shape.at(-2)! - a.shape.at(-1)!], [0, 0]]));
const one = (prepare: (a: NDArray) => NDArray, ...shapes: number[][]): Sample[] => shapes.map((shape) => ({ inputs: [realInput(shape)], params: {}, prepare: ([a]) => [prepare(a!)] }));

/** How the laws try linalg's primitives: on matrices where their results depend smoothly on the elements. */
export function linalgSamples(): [AnyPrimitive, Sample[]][] {
  const [solveT, lu, factored, operator] = ["linalg.triangularSolve", "linalg.lu", "linalg.factoredSolve", "linalg.operatorSolve"].map(named) as [AnyPrimitive, AnyPrimitive, AnyPrimitive, AnyPrimitive];
  const chol = named("linalg.cholesky");
  const flags = [false, true];
  const factor = (kind: "lu" | "cholesky", a: NDArray): [NDArray, NDArray] => {
    if (kind === "cholesky") return [bind(chol, [a], {})[0]!, np.zeros(a.shape.slice(0, -1), { dtype: "int32" })];
    const [f, , permutation] = bind(lu, [a], {});
    return [f!, permutation!];
  };
  return [
    [chol, one(positive, [3, 3], [2, 2, 2], [1, 1])],
    [lu, [...one(dominant, [3, 3], [2, 3, 3]), ...one((a) => np.add(np.multiply(0.2, a), np.pad(ramp(2, 2), [[1, 1], [0, 0]])), [4, 2]), ...one((a) => np.add(np.multiply(0.2, a), np.pad(np.flip(ramp(2, 2), 0), [[0, 0], [0, 2]])), [2, 4])]],
    [named("linalg.qr"), [...one(dominant, [3, 3]), ...one(separated, [4, 2], [2, 4, 3])].map((s) => ({ ...s, params: { complete: false } }))],
    [named("linalg.eigh"), one(symmetric, [3, 3], [2, 2, 2])],
    [named("linalg.eigvalsh"), one(symmetric, [3, 3], [2, 2, 2])],
    [named("linalg.svdvals"), one(separated, [3, 3], [4, 2], [2, 3, 2])],
    [named("linalg.svd"), one(separated, [3, 3], [4, 2], [2, 3, 2])],
    [solveT, flags.flatMap((lower) => flags.flatMap((transpose) => flags.map((unitDiagonal): Sample => ({ inputs: [realInput([2, 3, 3]), realInput([2, 3, 2])], params: { lower, transpose, unitDiagonal }, prepare: ([a, b]) => [np.add(a!, np.multiply(3, np.eye(3))), b!] }))))],
    [factored, (["lu", "cholesky"] as const).flatMap((kind) => flags.map((transpose): Sample => ({
      inputs: [realInput([2, 3, 3]), realInput([2, 3, 2])],
      params: { kind, transpose },
      prepare: ([a, b]) => {
        const matrix = kind === "lu" ? dominant(a!) : positive(a!);
        return [matrix, ...factor(kind, matrix), b!];
      },
    })))],
    [operator, [{ ...sampleFromProgram(operator, (a: NDArray, b: NDArray) => cg((x: NDArray) => np.add(np.matmul(a, np.matmul(np.matrixTranspose(a), x)), np.multiply(2, x)), b, { tol: 1e-15 }).x, [realInput([3, 3]), realInput([3])], [np.ones([3, 3]), np.ones([3])]), noise: 1e-14 }]],
  ];
}
