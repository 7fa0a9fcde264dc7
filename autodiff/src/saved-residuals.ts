import { type NDArray, ShapeDtype, tree } from "@hessia/core";
import { flattenArgs, formatAval } from "@hessia/core/extend";
import { linearizeFlat } from "./linearize.js";

function residualsOf(f: (...args: never) => unknown, args: readonly unknown[]): { residuals: readonly NDArray[]; leaves: readonly NDArray[]; paths: readonly string[] } {
  const [leaves, def] = flattenArgs(args, "savedResiduals");
  const lin = linearizeFlat((xs) => (f as (...a: unknown[]) => unknown)(...tree.unflatten<unknown[]>(def, xs)), leaves, "savedResiduals");
  return { residuals: lin.residuals(), leaves, paths: tree.pathsOf(def).map((p) => tree.formatPath(p)) };
}

/**
 * The types of the arrays that the derivative of `f` keeps from the forward run: what `checkpoint` is there to reduce. Runs `f`.
 * @example savedResiduals((x: NDArray) => np.sin(np.sin(x)), np.ones([3])); // two arrays of shape [3]
 */
export function savedResiduals(f: (...args: never) => unknown, ...args: readonly unknown[]): ShapeDtype[] {
  return residualsOf(f, args).residuals.map((r) => new ShapeDtype(r.shape, r.dtype, r.weak));
}

/**
 * The same as text, one line for each array: its type, and which argument it is if it is one.
 * @example console.log(printSavedResiduals(loss, params, batch));
 */
export function printSavedResiduals(f: (...args: never) => unknown, ...args: readonly unknown[]): string {
  const { residuals, leaves, paths } = residualsOf(f, args);
  return residuals.map((r) => {
    const i = leaves.indexOf(r);
    return `${formatAval(r.aval)} ${i >= 0 ? `argument${paths[i]}` : "computed"}`;
  }).join("\n");
}
