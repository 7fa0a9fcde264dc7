import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as optim from "@hessia/optim";
import { random } from "@hessia/core";
import { loadDigits } from "./digits/data.js";
import { topHessianEigenvalues } from "./digits/spectrum.js";
import { train, type TrainingPlan, type TrainingRun } from "./digits/train.js";
import { type Fit, fitLevenbergMarquardt, fitNewton } from "./nist/fit.js";
import { loadNistProblems, type NistProblem } from "./nist/problems.js";
import { nistSection, spectrumSection, trainingSection } from "./report/sections.js";
import { renderReport } from "./report/html.js";
import { breathe, withProgress } from "./terminal/progress.js";
import { heading, printTable } from "./terminal/table.js";

/** The main job: certified fits, a classifier by three optimizers, the spectrum of its Hessian, and a report of it all. */

const data = (name: string) => new URL(`../data/${name}`, import.meta.url);
const digits = (f: Fit) => f.digits.toFixed(1);

export interface NistRow {
  readonly problem: NistProblem;
  readonly fits: readonly Fit[];
}

async function fitNist(): Promise<NistRow[]> {
  heading("1. NIST StRD nonlinear regression: certified digits (of 11) and model evaluations");
  const problems = loadNistProblems(data("nist-strd.json"));
  const rows = await withProgress("fitting", problems.length, async (tick) => {
    const done: NistRow[] = [];
    for (const problem of problems) {
      done.push({ problem, fits: [problem.start1, problem.start2].flatMap((s) => [fitLevenbergMarquardt(problem, s), fitNewton(problem, s)]) });
      tick(problem.name);
      await breathe();
    }
    return done;
  });
  printTable(
    ["problem", "level", "LM start 1", "evals", "Newton start 1", "evals", "LM start 2", "evals", "Newton start 2", "evals"],
    rows.map(({ problem, fits }) => [problem.name, problem.difficulty, ...fits.flatMap((f) => [digits(f), f.evaluations])]),
  );
  const least = (k: number) => Math.min(...rows.map((r) => r.fits[k]!.digits)).toFixed(1);
  const solved = (k: number) => rows.filter((r) => r.fits[k]!.digits >= 6).length;
  console.log(`Levenberg-Marquardt: at least ${least(0)} digits from start 1 and ${least(2)} from start 2, on all ${rows.length} problems.`);
  console.log(`Newton in a trust region: 6 digits or more on ${solved(1)} problems from start 1 and ${solved(3)} from start 2.`);
  return rows;
}

async function trainDigits(): Promise<TrainingRun[]> {
  heading("2. Handwritten digits: a 64-32-10 network, 1500 training and 297 test images");
  const set = loadDigits(data("digits.csv.gz"));
  const all = set.train.images.shape[0]!;
  const plans: TrainingPlan[] = [
    { name: "Adam", optimizer: optim.adam(0.005), epochs: 20, batchSize: 100 },
    { name: "AdaHessian", optimizer: optim.adaHessian({ learningRate: 0.05, key: random.key(3) }), epochs: 20, batchSize: 100 },
    { name: "Newton-CG", optimizer: optim.newtonCG(), epochs: 20, batchSize: all },
  ];
  const runs = await withProgress("training", plans.reduce((n, p) => n + p.epochs, 0), async (tick) => {
    const done: TrainingRun[] = [];
    for (const plan of plans) done.push(await train(plan, set, tick));
    return done;
  });
  const epochs = [0, 1, 2, 5, 10, 15, 20];
  printTable(
    ["epoch", ...runs.flatMap((r) => [`${r.name} loss`, "test %", "s"])],
    epochs.map((e) => [e, ...runs.flatMap((r) => { const x = r.records[e]!; return [x.trainLoss.toFixed(4), (100 * x.testAccuracy).toFixed(1), x.seconds.toFixed(2)]; })]),
  );
  return runs;
}

async function main(): Promise<void> {
  const begin = performance.now();
  const nist = await fitNist();
  const runs = await trainDigits();
  heading("3. Largest Hessian eigenvalues of the trained network (Lanczos on Hessian-vector products)");
  const best = runs.reduce((a, b) => (b.records.at(-1)!.trainLoss < a.records.at(-1)!.trainLoss ? b : a));
  const spectrum = topHessianEigenvalues(best.params, loadDigits(data("digits.csv.gz")).train, 10);
  const values = [...(spectrum.eigenvalues.toArray() as number[])].reverse();
  const errors = [...(spectrum.residuals.toArray() as number[])].reverse();
  printTable(["", "eigenvalue", "residual"], values.map((v, i) => [i + 1, v.toFixed(5), errors[i]!.toExponential(1)]));
  console.log(`${spectrum.iterations} products with the Hessian of ${spectrum.parameters} parameters, at the end of ${best.name}.`);

  const file = fileURLToPath(new URL("../report.html", import.meta.url));
  const sections = [await nistSection(nist), await trainingSection(runs), await spectrumSection(best.name, values, spectrum)];
  writeFileSync(file, renderReport("Hessia: fits, training, curvature", "Made by npm start. All derivatives are exact; all computations ran on the WebAssembly backend.", sections));
  console.log(`\nReport: ${file}\n${((performance.now() - begin) / 1000).toFixed(1)} s in all.`);
}

await main();
