import { isFloat } from "../base/dtype.js";
import { range, sizeOf } from "../base/shape.js";
import type { Aval } from "../ir/aval.js";
import { type Atom, type Equation } from "../ir/program.js";
import type { Known } from "../optimize/rules.js";
import { eq } from "./binary.js";
import type { DotParams } from "./dot-params.js";
import { iota } from "./structural.js";
import { transpose } from "./structural-ops.js";
import { convert } from "./types.js";

const freeAxes = (ndim: number, p: DotParams, side: 0 | 1): number[] => range(ndim).filter((d) => !p.contract[side].includes(d) && !p.batch[side].includes(d));
const isSorted = (axes: readonly number[]): boolean => axes.every((d, i) => i === 0 || axes[i - 1]! < d);

/** True for `iota along one axis == iota along the other` as numbers: the identity matrix. */
function isIdentity(known: Known, a: Atom): boolean {
  const [rows, columns] = a.aval.shape;
  const cast = known.definition(a);
  if (a.aval.shape.length !== 2 || rows !== columns || cast?.primitive !== convert) return false;
  const test = known.definition(cast.inputs[0]!);
  if (test?.primitive !== eq) return false;
  const axes = test.inputs.map((x) => {
    const e = known.definition(x);
    return e?.primitive === iota ? (e.params as { axis: number }).axis : -1;
  });
  return axes.includes(0) && axes.includes(1);
}

/** `x I = x`, up to the order of axes. Non-finite elements stay where they are. */
function timesIdentity(known: Known, inputs: readonly Atom[], p: DotParams): Atom | undefined {
  if (p.batch[0].length > 0 || p.contract[0].length !== 1) return undefined;
  for (const side of [1, 0] as const) {
    if (!isIdentity(known, inputs[side]!)) continue;
    const x = inputs[1 - side]!;
    const at = p.contract[1 - side]![0]!;
    const rest = range(x.aval.shape.length).filter((d) => d !== at);
    const permutation = side === 1 ? [...rest, at] : [at, ...rest];
    return isSorted(permutation) ? x : known.emit(transpose, [x], { permutation });
  }
  return undefined;
}

/** Reads a transposed operand as it lies, where that leaves the result's axes in order. */
function withoutTranspose(known: Known, dot: Equation["primitive"], inputs: readonly Atom[], p: DotParams): Atom | undefined {
  for (const side of [0, 1] as const) {
    const inner = known.definition(inputs[side]!);
    if (inner?.primitive !== transpose) continue;
    const { permutation } = inner.params as { permutation: readonly number[] };
    if (!isSorted(freeAxes(permutation.length, p, side).map((d) => permutation[d]!))) continue;
    const swap = (pair: readonly [readonly number[], readonly number[]]): [readonly number[], readonly number[]] => {
      const mapped = pair[side].map((d) => permutation[d]!);
      return side === 0 ? [mapped, pair[1]] : [pair[0], mapped];
    };
    return known.emit(dot, side === 0 ? [inner.inputs[0]!, inputs[1]!] : [inputs[0]!, inner.inputs[0]!], { contract: swap(p.contract), batch: swap(p.batch) });
  }
  return undefined;
}

const work = (a: Aval, b: Aval, p: DotParams): number => sizeOf(a.shape) * sizeOf(freeAxes(b.shape.length, p, 1).map((d) => b.shape[d]!));

/**
 * `(A B) C = A (B C)` where that costs less than half: matrix-chain order of three factors, the product A B being needed for nothing else.
 * For products that lie on one side of each other and have no batch axes.
 */
function chain(known: Known, dot: Equation["primitive"], inputs: readonly Atom[], p: DotParams): Atom | undefined {
  if (p.batch[0].length > 0 || p.contract[0].length === 0 || !isFloat(inputs[0]!.aval.dtype)) return undefined;
  for (const side of [0, 1] as const) {
    const inner = known.definition(inputs[side]!);
    if (inner?.primitive !== dot || known.uses(inputs[side]!) !== 1) continue;
    const q = inner.params as DotParams;
    if (q.batch[0].length > 0 || q.contract[0].length === 0) continue;
    const [a, b] = inner.inputs as [Atom, Atom];
    const [freeA, freeB] = [freeAxes(a.aval.shape.length, q, 0), freeAxes(b.aval.shape.length, q, 1)];
    const other = inputs[1 - side]!;
    const axes = p.contract[side];
    const last = axes.every((d) => d >= freeA.length);
    if (!last && !axes.every((d) => d < freeA.length)) continue;
    // The factor that meets C: B where the contracted axes are B's, else A.
    const [near, far, nearSide] = last ? [b, a, 1 as const] : [a, b, 0 as const];
    const nearAxes = axes.map((d) => (last ? freeB[d - freeA.length]! : freeA[d]!));
    const first: DotParams = { contract: [nearAxes, p.contract[side === 0 ? 1 : 0]], batch: [[], []] };
    const left = range(near.aval.shape.length).filter((d) => !nearAxes.includes(d));
    const farSide = nearSide === 1 ? 0 : 1;
    const second: DotParams = { contract: [q.contract[farSide], q.contract[nearSide].map((d) => left.indexOf(d))], batch: [[], []] };
    const middle: Aval = { ...near.aval, shape: [...left.map((d) => near.aval.shape[d]!), ...freeAxes(other.aval.shape.length, first, 1).map((d) => other.aval.shape[d]!)] };
    const [x, y] = [inputs[0]!.aval, inputs[1]!.aval];
    if (2 * (work(near.aval, other.aval, first) + work(far.aval, middle, second)) > work(a.aval, b.aval, q) + work(x, y, p)) continue;
    const product = known.emit(dot, [far, known.emit(dot, [near, other], first)], second);
    // Axes come out as: the far factor's, what is left of the near one, those of C.
    const [nFar, nNear, nOther] = [far.aval.shape.length - q.contract[farSide].length, left.length - q.contract[nearSide].length, freeAxes(other.aval.shape.length, first, 1).length];
    const groups = { far: range(nFar), near: range(nNear, nFar), other: range(nOther, nFar + nNear) };
    const both = last ? [...groups.far, ...groups.near] : [...groups.near, ...groups.far];
    const permutation = side === 0 ? [...both, ...groups.other] : [...groups.other, ...both];
    return isSorted(permutation) ? product : known.emit(transpose, [product], { permutation });
  }
  return undefined;
}

/** Products with the identity, of transposed operands, and of three factors. */
export const simplifyDot = (known: Known, dot: Equation["primitive"], inputs: readonly Atom[], params: DotParams): Atom | undefined =>
  timesIdentity(known, inputs, params) ?? withoutTranspose(known, dot, inputs, params) ?? chain(known, dot, inputs, params);
