import { jit, type NDArray, np } from "@hessia/core";
import { grad, hessian, valueAndGrad } from "@hessia/autodiff";
import { eigh, norm } from "@hessia/linalg";
import { minimize } from "@hessia/optim";
import { heading, printTable } from "./terminal/table.js";

/**
 * Seven atoms with the Lennard-Jones potential, in reduced units (epsilon = sigma = mass = 1): relax the cluster, take the exact Hessian of
 * its energy, and read the frequencies of its normal modes. Six of them are zero: three translations and three rotations.
 */

/** All pairs i < j. */
const pairs = (n: number): [number[], number[]] => {
  const [left, right]: [number[], number[]] = [[], []];
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) {
    left.push(i);
    right.push(j);
  }
  return [left, right];
};

/** E = 4 sum_{i<j} (r^-12 - r^-6), positions [n, 3]. */
export function energy(positions: NDArray): NDArray {
  const [i, j] = pairs(positions.shape[0]!).map((k) => np.array(k).astype("int32")) as [NDArray, NDArray];
  const d2 = np.sum(np.square(np.subtract(positions.get(i), positions.get(j))), -1);
  const inverse6 = np.divide(1, np.power(d2, 3));
  return np.multiply(4, np.sum(np.subtract(np.square(inverse6), inverse6)));
}

/** A pentagonal bipyramid, roughly: the global minimum of seven atoms is one. */
const start = np.array([
  ...Array.from({ length: 5 }, (_, k) => [0.9 * Math.cos((2 * Math.PI * k) / 5), 0.9 * Math.sin((2 * Math.PI * k) / 5), 0.02 * k]),
  [0, 0, 0.6],
  [0.05, 0, -0.6],
]);

const relaxed = minimize(energy, start, { method: "trust-exact", options: { gtol: 1e-12 } });
const positions = relaxed.x;
const n = positions.shape[0]!;
const h = np.reshape(jit(hessian(energy))(positions) as NDArray, [3 * n, 3 * n]);
const { eigenvalues, eigenvectors } = eigh(h);
const frequencies = np.divide(np.sqrt(np.maximum(eigenvalues, 0)), 2 * Math.PI);

heading("Lennard-Jones cluster of seven atoms: normal modes from the exact Hessian");
const [e, g] = valueAndGrad(energy)(positions) as [NDArray, NDArray];
console.log(`energy ${Number(e.item()).toFixed(8)} (the global minimum is -16.50538417), |gradient| ${Number(norm(g).item()).toExponential(1)}, ${relaxed.nit} iterations`);
printTable(["mode", "eigenvalue", "frequency"], Array.from({ length: 3 * n }, (_, k) => [k + 1, Number(eigenvalues.get(k).item()).toFixed(8), Number(frequencies.get(k).item()).toFixed(6)]));

// Along an eigenvector the energy curves as its eigenvalue says: check the stiffest mode by differences of the exact gradient.
const mode = np.reshape(eigenvectors.get(":", -1), [n, 3]);
const along = (t: number) => Number(np.sum(np.multiply(mode, grad(energy)(np.add(positions, np.multiply(t, mode))) as NDArray)).item());
const step = 1e-4;
const curvature = (along(step) - along(-step)) / (2 * step);
console.log(`stiffest mode: eigenvalue ${Number(eigenvalues.get(-1).item()).toFixed(6)}, by differences ${curvature.toFixed(6)}`);
if (Math.abs(Number(e.item()) + 16.50538417) > 1e-7) throw new Error("the cluster did not reach its global minimum");
if (Math.abs(curvature / Number(eigenvalues.get(-1).item()) - 1) > 1e-5) throw new Error("the Hessian disagrees with differences of the gradient");
