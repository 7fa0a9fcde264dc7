import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A house in which every file but the violations obeys. */
const lawful: Record<string, string> = {
  "core/src/index.ts": `export * from "./numpy/add.js"; export * from "./trace/bind.js";`,
  "core/src/extend.ts": `export * from "./ir/program.js";`,
  "core/src/testing.ts": `export * from "./numpy/add.js";`,
  "core/src/base/dtype.ts": `export const dtype = "float64";`,
  "core/src/ir/program.ts": `import { dtype } from "../base/dtype.js"; export const program = dtype;`,
  "core/src/kernel/expr.ts": `import { dtype } from "../base/dtype.js"; export const expr = dtype;`,
  "core/src/backends/registry.ts": `import { expr } from "../kernel/expr.js"; export const registry = expr;`,
  "core/src/execute/eager.ts": `import { registry } from "../backends/registry.js"; export const eager = registry;`,
  "core/src/trace/bind.ts": `import { program } from "../ir/program.js"; import { eager } from "../execute/eager.js"; export const bind = [program, eager];`,
  "core/src/numpy/add.ts": `import { bind } from "../trace/bind.js"; export const add = bind;`,
  "core/src/numpy/add.test.ts": `import { add } from "../index.js"; import { random } from "../random/normal.js"; void [add, random];`,
  "core/src/random/normal.ts": `import { add } from "../numpy/add.js"; export const random = add;`,
  "autodiff/src/index.ts": `import { add } from "@hessia/core"; import { program } from "@hessia/core/extend"; export const grad = [add, program];`,
  "autodiff/src/extend.ts": `export { grad } from "./index.js";`,
  "autodiff/src/index.test.ts": `import { add } from "@hessia/core/testing"; void add;`,
  "linalg/src/index.ts": `import { grad } from "@hessia/autodiff/extend"; export const solve = grad;`,
  "nn/src/index.ts": `import { grad } from "@hessia/autodiff"; export const linear = grad;`,
  "optim/src/index.ts": `import { solve } from "@hessia/linalg"; export const newton = solve;`,
  "examples/src/custom-primitive.ts": `import { program } from "@hessia/core/extend"; void program;`,
  "property-tests/laws.test.ts": `import { add } from "@hessia/core/testing"; void add;`,
};

/** Rule, file that breaks it, what that file says. */
const violations: [rule: string, file: string, text: string][] = [
  ["arrow-core", "core/src/numpy/upwards.ts", `import { grad } from "@hessia/autodiff"; void grad;`],
  ["arrow-autodiff", "autodiff/src/internals.ts", `import { add } from "../../core/src/numpy/add.js"; void add;`],
  ["arrow-autodiff", "autodiff/src/upwards.ts", `import { solve } from "@hessia/linalg"; void solve;`],
  ["arrow-linalg", "linalg/src/upwards.ts", `import { newton } from "@hessia/optim"; void newton;`],
  ["arrow-nn", "nn/src/extension.ts", `import { program } from "@hessia/core/extend"; void program;`],
  ["arrow-nn", "nn/src/sideways.ts", `import type { newton } from "@hessia/optim"; export type N = typeof newton;`],
  ["arrow-nn", "nn/src/linalg.ts", `import { solve } from "@hessia/linalg"; void solve;`],
  ["arrow-optim", "optim/src/extension.ts", `import { grad } from "@hessia/autodiff/extend"; void grad;`],
  ["arrow-optim", "optim/src/extension.test.ts", `import { program } from "@hessia/core/extend"; void program;`],
  ["arrow-examples", "examples/src/extension.ts", `import { program } from "@hessia/core/extend"; void program;`],
  ["arrow-property-tests", "property-tests/internals.test.ts", `import { bind } from "../core/src/trace/bind.js"; void bind;`],
  ["arrow-docs", "docs/internals.test.ts", `import { bind } from "../core/src/trace/bind.js"; void bind;`],
  ["arrow-bench", "bench/internals.ts", `import { bind } from "../core/src/trace/bind.js"; void bind;`],
  ["arrow-custom-example", "examples/src/custom-internals.ts", `import { bind } from "../../core/src/trace/bind.js"; void bind;`],
  ["testing-only-in-tests", "optim/src/testing.ts", `import { add } from "@hessia/core/testing"; void add;`],
  ["package-by-name", "linalg/src/by-path.ts", `import { grad } from "../../autodiff/src/index.js"; void grad;`],
  ["self-by-path", "autodiff/src/by-name.ts", `import { grad } from "@hessia/autodiff"; void grad;`],
  ["entry-points-are-roofs", "core/src/numpy/roof.ts", `import { bind } from "../index.js"; void bind;`],
  ["known-floor", "core/src/scipy/helper.ts", `import { help } from "../helpers/help.js"; void help;`],
  ["stage-scipy", "core/src/scipy/down.ts", `import { suite } from "../testing/suite.js"; void suite;`],
  ["stage-random", "core/src/random/up.ts", `import { up } from "../scipy/up.js"; void up;`],
  ["stage-numpy", "core/src/numpy/up.ts", `import { lax } from "../lax/types.js"; void lax;`],
  ["stage-lax", "core/src/lax/up.ts", `import { random } from "../random/normal.js"; void random;`],
  ["stage-transforms", "core/src/transforms/up.ts", `import { add } from "../numpy/add.js"; void add;`],
  ["stage-primitives", "core/src/primitives/up.ts", `import { up } from "../transforms/jit.js"; void up;`],
  ["stage-trace", "core/src/trace/up.ts", `import type { add } from "../numpy/add.js"; export type A = typeof add;`],
  ["stage-array", "core/src/array/up.ts", `import { bind } from "../trace/bind.js"; void bind;`],
  ["stage-execute", "core/src/execute/up.ts", `import { bind } from "../trace/bind.js"; void bind;`],
  ["stage-optimize", "core/src/optimize/up.ts", `import { eager } from "../execute/eager.js"; void eager;`],
  ["stage-lower", "core/src/lower/up.ts", `import { up } from "../optimize/pass.js"; void up;`],
  ["stage-backends", "core/src/backends/up.ts", `export { add } from "../numpy/add.js";`],
  ["vocabulary-ir", "core/src/ir/up.ts", `import { expr } from "../kernel/expr.js"; void expr;`],
  ["vocabulary-kernel", "core/src/kernel/up.ts", `import { registry } from "../backends/registry.js"; void registry;`],
  ["vocabulary-base", "core/src/base/up.ts", `import { program } from "../ir/program.js"; void program;`],
  ["no-cycle", "core/src/lower/a.ts", `import type { B } from "./b.js"; export interface A { b: B }`],
  ["resolvable", "nn/src/nowhere.ts", `import { bind } from "@hessia/core/trace"; void bind;`],
  ["no-build-output", "optim/src/built.ts", `import { add } from "./../dist/out.js"; void add;`],
  ["shipped-code-ships-its-needs", "nn/src/needs.ts", `import { parse } from "acorn"; void parse;`],
];

/** Lawful by themselves, but a violation needs them to point at. */
const props: Record<string, string> = {
  "core/src/helpers/help.ts": `export const help = 1;`,
  "core/src/testing/suite.ts": `export const suite = 1;`,
  "core/src/scipy/up.ts": `export const up = 1;`,
  "core/src/lax/types.ts": `export const lax = 1;`,
  "core/src/transforms/jit.ts": `export const up = 1;`,
  "core/src/optimize/pass.ts": `export const up = 1;`,
  "core/src/lower/b.ts": `import type { A } from "./a.js"; export interface B { a?: A }`,
  "optim/dist/out.js": `export const add = 1;`,
  "node_modules/acorn/package.json": `{ "name": "acorn", "version": "1.0.0", "main": "index.js" }`,
  "node_modules/acorn/index.js": `export const parse = 1;`,
  "package.json": `{ "name": "house", "type": "module", "devDependencies": { "acorn": "1.0.0" } }`,
};

const folders: string[] = [];

function build(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "hessia-arrows-"));
  folders.push(folder);
  const config = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")) as { compilerOptions: { types?: string[] } };
  config.compilerOptions.types = [];
  for (const [path, text] of Object.entries({ ...files, "tsconfig.json": JSON.stringify(config) })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const check = (folder: string) => spawnSync(process.execPath, [join(root, ".ci/arrows.mjs"), folder], { encoding: "utf8" });

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe("the arrows of the house", () => {
  it("accepts a house that obeys", () => {
    const result = check(build(lawful));
    expect(result.stderr).toBe("");
    expect(result.stdout).toMatch(/20 modules, .*every arrow holds/);
    expect(result.status).toBe(0);
  });

  describe("each rule bites", () => {
    let report = "";
    let status: number | null = 0;
    beforeAll(() => {
      const result = check(build({ ...lawful, ...props, ...Object.fromEntries(violations.map(([, file, text]) => [file, text])) }));
      report = result.stderr;
      status = result.status;
    });
    it("fails the run", () => expect(status).toBe(1));
    it.each(violations)("%s in %s", (rule, file) => {
      expect(report.split("\n").filter((line) => line.startsWith(`${rule}: `) && line.includes(file))).toHaveLength(1);
    });
    it("covers every rule", async () => {
      const { forbidden } = (await import(new URL("arrow-rules.mjs", import.meta.url).href)) as { forbidden: { name: string }[] };
      expect([...new Set(violations.map(([rule]) => rule))].sort()).toEqual(forbidden.map((rule) => rule.name).sort());
    });
  });
});
