import type { NDArray } from "@hessia/core";
import { np } from "@hessia/core";
import type { TrainingRun } from "../digits/train.js";
import type { Fit } from "../nist/fit.js";
import type { NistProblem } from "../nist/problems.js";
import { renderChart } from "./chart.js";
import type { Section } from "./html.js";

const size = { width: 370, height: 240 };

export async function nistSection(rows: readonly { readonly problem: NistProblem; readonly fits: readonly Fit[] }[]): Promise<Section> {
  const names = ["LM, start 1", "Newton, start 1", "LM, start 2", "Newton, start 2"];
  const values = rows.flatMap(({ problem, fits }) => fits.map((f, k) => ({ problem: problem.name, fit: names[k]!, digits: f.digits, evaluations: f.evaluations })));
  const digits = await renderChart({ title: "Certified digits reached", width: 720, height: 240, data: { values }, mark: { type: "point", filled: true, size: 45, opacity: 0.8 }, encoding: { x: { field: "problem", type: "nominal", axis: { labelAngle: -60, title: null } }, y: { field: "digits", type: "quantitative", scale: { domain: [0, 11.5] } }, color: { field: "fit", type: "nominal", title: null }, shape: { field: "fit", type: "nominal", title: null } } });
  const curves = await Promise.all(["Thurber", "ENSO", "Gauss3"].map((name) => fittedCurve(rows.find((r) => r.problem.name === name)!)));
  return {
    title: "NIST nonlinear regression",
    text: "27 problems with certified solutions, each from NIST's far (1) and near (2) starting values. Levenberg-Marquardt uses exact Jacobians and finishes with the exact Hessian; Newton is the trust-region method on the exact Hessian alone; from the near start of the Lanczos problems it ends where two exponentials coincide, a point where the gradient vanishes too.",
    charts: [digits, ...curves],
    table: { head: ["problem", "level", ...names.flatMap((n) => [`${n}: digits`, "evaluations"])], rows: rows.map(({ problem, fits }) => [problem.name, problem.difficulty, ...fits.flatMap((f) => [f.digits.toFixed(1), f.evaluations])]) },
  };
}

async function fittedCurve({ problem, fits }: { readonly problem: NistProblem; readonly fits: readonly Fit[] }): Promise<string> {
  const x = problem.x as number[];
  const fitted = problem.model(np.array([...fits[0]!.parameters])).toArray() as number[];
  const values = x.map((v, i) => ({ x: v, y: problem.y[i]!, fit: fitted[i]! }));
  return renderChart({ title: problem.name, width: 265, height: 190, data: { values }, layer: [{ mark: { type: "point", size: 14, opacity: 0.6 }, encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative", scale: { zero: false } } } }, { mark: { type: "line", color: "#d1495b" }, encoding: { x: { field: "x", type: "quantitative" }, y: { field: "fit", type: "quantitative" } } }] });
}

export async function trainingSection(runs: readonly TrainingRun[]): Promise<Section> {
  const values = runs.flatMap((r) => r.records.map((x) => ({ optimizer: r.name, ...x, accuracy: 100 * x.testAccuracy })));
  const line = (title: string, x: "epoch" | "seconds", y: "trainLoss" | "accuracy", log: boolean) =>
    renderChart({ title, ...size, data: { values }, mark: { type: "line", point: { size: 18 } }, encoding: { x: { field: x, type: "quantitative" }, y: { field: y, type: "quantitative", title: y === "trainLoss" ? "training loss" : "test accuracy, %", scale: log ? { type: "log" } : { zero: false, domainMin: 80, clamp: true } }, color: { field: "optimizer", type: "nominal", title: null } } });
  return {
    title: "Handwritten digits",
    text: "A 64-32-10 network with tanh. Adam and AdaHessian step on batches of 100; Newton-CG takes one step an epoch on all 1500 images. Times count training alone, compilation included.",
    charts: await Promise.all([line("Loss by epoch", "epoch", "trainLoss", true), line("Loss by time", "seconds", "trainLoss", true), line("Accuracy by epoch", "epoch", "accuracy", false), line("Accuracy by time", "seconds", "accuracy", false)]),
    table: { head: ["optimizer", "final loss", "final test accuracy", "seconds"], rows: runs.map((r) => { const x = r.records.at(-1)!; return [r.name, x.trainLoss.toFixed(5), `${(100 * x.testAccuracy).toFixed(1)} %`, x.seconds.toFixed(2)]; }) },
  };
}

export async function spectrumSection(optimizer: string, eigenvalues: readonly number[], result: { readonly iterations: number; readonly parameters: number; readonly residuals: NDArray }): Promise<Section> {
  const values = eigenvalues.map((v, i) => ({ index: i + 1, eigenvalue: v }));
  return {
    title: "Hessian spectrum",
    text: `The ${eigenvalues.length} largest eigenvalues of the Hessian of the training loss at the parameters found by ${optimizer}, from ${result.iterations} Hessian-vector products; the ${result.parameters} by ${result.parameters} matrix is never formed.`,
    charts: [await renderChart({ title: "Largest Hessian eigenvalues", ...size, data: { values }, mark: "bar", encoding: { x: { field: "index", type: "ordinal", title: null, axis: { labelAngle: 0 } }, y: { field: "eigenvalue", type: "quantitative" } } })],
  };
}
