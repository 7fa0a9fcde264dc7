/**
 * Measures the error of every elementary and special function and writes docs/accuracy.md.
 *   node --experimental-wasm-relaxed-simd --import tsx bench/accuracy.ts [dense.json]
 * (the flag is needed on Node 20 only). dense.json: more reference points, from
 * `python core/src/kernel/functions/fixtures/generate.py 30 dense.json`; without it the few hundred of the fixtures are used.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { ModuleBuilder } from "../core/src/backends/wasm/assembler/index.js";
import { compileMap } from "../core/src/backends/wasm/functions/fixtures/apply.js";
import { arguments32, errorInUlps32, reference } from "../core/src/backends/wasm/functions/fixtures/sweep.js";
import { vectorizedNames } from "../core/src/backends/wasm/functions/definitions.js";
import { ulpSize } from "../core/src/kernel/functions/fixtures/ulp.js";
import type { ArithmeticFn, UnaryFn } from "../core/src/kernel/expr.js";

type Points = Record<string, number[][]>;
const read = (path: string | URL): Points => JSON.parse(readFileSync(path, "utf8")) as Points;
const fixtures = read(new URL("../core/src/kernel/functions/fixtures/points.json", import.meta.url));
const densePath = process.argv[2];
const dense: Points = densePath === undefined ? {} : read(densePath);

const relaxedModule = new ModuleBuilder();
relaxedModule.function("f", ["v128"], ["v128"]).get(0).get(0).get(0).op("f64x2.relaxed_madd");
const hasRelaxed = WebAssembly.validate(relaxedModule.finish());

const rowsOf = (name: string): number[][] => [...(fixtures[name] ?? []), ...(dense[name] ?? [])];
const isVector = new Set<string>(vectorizedNames);

/** Error in ulp of a result against a row of references; relative to the condition where the row has one above 1. */
function error64(row: readonly number[], arity: number, got: number): number {
  const error = Math.abs((got - row[arity]!) / ulpSize(row[arity]!) - row[arity + 1]!);
  return error / Math.max(1, row[arity + 2] ?? 1);
}

function definition(name: UnaryFn): number {
  const { arity, call } = reference(name);
  return rowsOf(name).reduce((worst, row) => Math.max(worst, error64(row, arity, call(...row.slice(0, arity)))), 0);
}

function wasm64(name: UnaryFn, relaxed: boolean): number {
  const { arity } = reference(name);
  const run = compileMap(name, "float64", "vector", relaxed);
  const rows = rowsOf(name);
  let worst = 0;
  for (let start = 0; start < rows.length; start += 4096) {
    const batch = rows.slice(start, start + 4096);
    const size = Math.ceil(batch.length / 4) * 4;
    const got = run(...Array.from({ length: arity }, (_, i) => Float64Array.from({ length: size }, (_x, j) => batch[j % batch.length]![i]!)));
    batch.forEach((row, j) => { worst = Math.max(worst, error64(row, arity, got[j]!)); });
  }
  return worst;
}

let points32 = 0;
function wasm32(name: UnaryFn, relaxed: boolean): number {
  const { call } = reference(name);
  const run = compileMap(name, "float32", "vector", relaxed);
  let worst = 0;
  points32 = 0;
  for (const args of arguments32(name, 1 << 17)) {
    const got = run(...args);
    points32 += got.length;
    for (let i = 0; i < got.length; i++) worst = Math.max(worst, errorInUlps32(got[i]!, call(...args.map((a) => a[i]!))));
  }
  return worst;
}

const ulps = (x: number): string => x.toFixed(2);
const lines: string[] = [];
for (const name of Object.keys(fixtures) as UnaryFn[]) {
  const count = rowsOf(name).length;
  const vector = isVector.has(name);
  const cells = [
    ulps(definition(name)),
    vector ? ulps(wasm64(name, false)) : "",
    vector && hasRelaxed ? ulps(wasm64(name, true)) : "",
    vector ? ulps(wasm32(name, false)) : "",
    vector && hasRelaxed ? ulps(wasm32(name, true)) : "",
    String(count),
  ];
  lines.push(`| \`${name}\` | ${cells.join(" | ")} |`);
}

const conditioned = (["lgamma", "digamma", "polygamma", "igamma", "igammac"] as (UnaryFn | ArithmeticFn)[]).map((n) => `\`${n}\``).join(", ");
const text = `# Accuracy

Largest error met, in units in the last place (ulp) of the exact result: 0.5 is perfect rounding. float64 results are compared with
50-digit references (mpmath) whose arguments cover all exponents with random significands and crowd at each function's difficult places:
near 1 for logarithms, near multiples of pi/2 up to 10^308 for the trigonometric ones, subnormal arguments and results, thresholds between
methods. float32 results are compared with the float64 definition at ${points32.toLocaleString("en-US")} arguments each: all bit patterns at random, then
intervals of every size. Infinities, NaN and signed zeros are compared one by one in the tests.

* *Definition* is the function on doubles in \`core/src/kernel/functions\`, used by the reference backend and wherever a backend has no code
  of its own.
* *WASM* is the SIMD code of \`core/src/backends/wasm/functions\`; \`fma\` means with relaxed SIMD, whose multiply-add rounds once. Vector
  loops, their remainders and scalar code give the same bits. Subnormals are neither flushed on input nor on output.
* For ${conditioned} the error is divided by the condition number |x f'(x) / f(x)| where that is above 1: near
  a zero of the function, or where it varies fast, the last bit of the argument decides about more than the last bit of the result.

Bars: 2 ulp, in float64 8 ulp for \`erf\`, \`erfc\` and \`erfInv\` and the gamma functions' condition as said.

| function | definition, float64 | WASM float64 | WASM float64, fma | WASM float32 | WASM float32, fma | float64 points |
|---|---|---|---|---|---|---|
${lines.join("\n")}

\`sin\`, \`cos\` and \`tan\` beyond |x| = 2^17, and \`pow\` outside of positive finite bases and finite exponents, call the definition lane by
lane, and so do \`erfInv\` in its tails and \`lgamma\` and \`digamma\` for what is not positive. \`polygamma\`, \`igamma\` and \`igammac\` do so
everywhere.

Measured by \`node --experimental-wasm-relaxed-simd --import tsx bench/accuracy.ts dense.json\` on Node ${process.versions.node}, where
\`python core/src/kernel/functions/fixtures/generate.py 30 dense.json\` made the references.
`;
writeFileSync(new URL("../docs/accuracy.md", import.meta.url), text);
console.log(text);
