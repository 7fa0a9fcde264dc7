import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import ts from "typescript";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import * as core from "@hessia/core";
import * as extend from "@hessia/core/extend";
import * as coreNative from "@hessia/core/native";
import * as testing from "@hessia/core/testing";
import * as autodiff from "@hessia/autodiff";
import * as autodiffExtend from "@hessia/autodiff/extend";
import * as linalg from "@hessia/linalg";
import * as nn from "@hessia/nn";
import * as optim from "@hessia/optim";
import { readSnippets, sameOutput, type SnippetProgram, sourceOf } from "./snippets.js";

const root = fileURLToPath(new URL("../", import.meta.url));
const packages = ["core", "autodiff", "linalg", "nn", "optim"];
const files = ["README.md", "CONTRIBUTING.md", ...packages.map((p) => `${p}/README.md`), ...readdirSync(join(root, "docs")).filter((f) => f.endsWith(".md")).sort().map((f) => `docs/${f}`)];
const documents = files.filter((f) => existsSync(join(root, f))).map((file) => {
  const markdown = readFileSync(join(root, file), "utf8");
  return { file, markdown, programs: readSnippets(markdown) };
});

const modules: Record<string, unknown> = {
  "@hessia/core": core, "@hessia/core/extend": extend, "@hessia/core/native": coreNative, "@hessia/core/testing": testing, "@hessia/autodiff": autodiff,
  "@hessia/autodiff/extend": autodiffExtend, "@hessia/linalg": linalg, "@hessia/nn": nn, "@hessia/optim": optim,
};
const nodeRequire = createRequire(import.meta.url);
const importModule = (name: string): unknown => modules[name] ?? nodeRequire(name);
const AsyncFunction = (async () => undefined).constructor as new (...args: string[]) => (...args: unknown[]) => Promise<void>;

/** Runs a program and gives what each of its blocks printed. */
async function run(program: SnippetProgram): Promise<string[]> {
  const printed: string[][] = program.blocks.map(() => []);
  let block = 0;
  const log = (...args: unknown[]): void => void printed[block]!.push(format(...args));
  const source = sourceOf(program, (k) => `$next(${k + 1});`);
  const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  await new AsyncFunction("require", "exports", "console", "$next", outputText)(importModule, {}, { log, table: log }, (k: number) => (block = k));
  return printed.map((lines) => lines.join("\n"));
}

/** `HESSIA_WRITE_DOCS=1 npm run docs` writes what the programs print into the files; read the difference. */
const writing = Boolean(process.env["HESSIA_WRITE_DOCS"]);

const devices = core.devices();
afterEach(() => {
  for (const name of core.devices()) if (!devices.includes(name) && name !== "webgpu") extend.unregisterBackend(name);
  core.setDefaultDevice("wasm");
  core.setDefaultFloat("float64");
});

afterAll(() => core.blockUntilReady());

async function present(need: string): Promise<boolean> {
  if (need !== "webgpu") throw new Error(`unknown need: ${need}`);
  try {
    await core.initWebGPU();
    return true;
  } catch (e) {
    if (process.env["HESSIA_REQUIRE"]?.includes(need)) throw e;
    return false;
  }
}

for (const { file, markdown, programs } of documents.filter((d) => d.programs.length > 0)) {
  describe(file, () => {
    const lines = markdown.split("\n");
    const changes: { from: number; to: number; text: string }[] = [];
    it.for(programs.map((p) => [p.line, p] as const))("the snippet at line %i runs and prints what the text says", async ([, program], { skip }) => {
      if (program.needs && !(await present(program.needs))) return skip(`no ${program.needs} here`);
      const printed = await run(program);
      for (const output of program.outputs) {
        if (sameOutput(output.text, printed[output.after]!)) continue;
        if (writing && !/^\s*\.\.\.$/m.test(output.text)) changes.push({ ...output, text: printed[output.after]! });
        else expect(printed[output.after], `output at ${file}:${output.from + 1}`).toBe(output.text);
      }
      // What is printed is shown: a reader should not have to guess.
      printed.forEach((text, k) => expect(text === "" || program.outputs.some((o) => o.after === k), `${file}:${program.blocks[k]!.from} prints, but no <!-- output --> follows:\n${text}`).toBe(true));
    });
    if (writing) {
      it("is written", () => {
        for (const { from, to, text } of changes.sort((a, b) => b.from - a.from)) lines.splice(from, to - from, ...text.split("\n"));
        if (changes.length) writeFileSync(join(root, file), lines.join("\n"));
      });
    }
  });
}

describe("all documents", () => {
  it("have snippets whose types are right", () => {
    const folder = mkdtempSync(join(tmpdir(), "hessia-docs-"));
    try {
      const options = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")).compilerOptions;
      const paths = Object.fromEntries(Object.entries<string[]>(options.paths).map(([name, [target]]) => [name, [join(root, target!)]]));
      const compilerOptions = { ...options, paths, typeRoots: [join(root, "node_modules/@types")], noUnusedLocals: false, noUnusedParameters: false };
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*.ts"] }));
      for (const { file, programs } of documents) {
        programs.forEach((program, i) => {
          const path = join(folder, `${file}.${i}.ts`);
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, `${sourceOf(program)}\nexport {};\n`);
        });
      }
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "node_modules/tsgo/bin/tsc"), "-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" });
      // `README.md.3.ts(12,5)`: the line is that of the Markdown file. What lies outside the folder is for `npm run typecheck`.
      const errors = `${stdout}${stderr}`.split("\n").filter((l) => l !== "" && !l.startsWith("../") && !l.startsWith(root));
      expect(errors.join("\n")).toBe("");
      expect(status === 0 || stdout !== "").toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("name functions that exist", () => {
    const spaces: Record<string, object> = { np: core.np, lax: core.lax, random: core.random, special: core.special, tree: core.tree, linalg, nn, optim };
    const unknown = documents.flatMap(({ file, markdown }) =>
      [...markdown.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`(np|lax|random|special|tree|linalg|nn|optim)[.]([A-Za-z]\w*)/g)].filter(([, space, name]) => !(name! in spaces[space!]!)).map(([span]) => `${file}: ${span}`));
    expect(unknown).toEqual([]);
  });

  it("have links that lead to files of the repository", () => {
    const broken = documents.flatMap(({ file, markdown }) =>
      [...markdown.replace(/^```[\s\S]*?^```/gm, "").matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map((m) => m[1]!).filter((link) => !/^\w+:/.test(link) && !existsSync(resolve(root, dirname(file), link))).map((link) => `${file}: ${link}`));
    expect(broken).toEqual([]);
  });
});

describe("the reader of snippets", () => {
  const markdown = ["```ts", "a", "```", "<!-- output -->", "```text", "1", "```", "<!-- continues -->", "```ts", "b", "```", "```sh", "x", "```", "```ts", "c", "```"].join("\n");
  it("joins what continues and keeps lines", () => {
    const [first, second] = readSnippets(markdown);
    expect(first!.blocks.map((b) => b.text)).toEqual(["a", "b"]);
    expect(first!.outputs).toEqual([{ after: 0, text: "1", from: 5, to: 6 }]);
    expect(sourceOf(first!).split("\n").map((l, i) => `${i}${l}`).filter((l) => /\D/.test(l))).toEqual(["1a", "9b"]);
    expect(second!.line).toBe(16);
  });
  it("refuses marks that mark nothing", () => {
    expect(() => readSnippets("<!-- output -->\ntext")).toThrow("line 2");
    expect(() => readSnippets("<!-- continues -->\n```ts\n```")).toThrow("nothing to continue");
  });
  it("compares with gaps", () => {
    expect(sameOutput("a\n...\nd", "a\nb\nc\nd")).toBe(true);
    expect(sameOutput("a\n...\nd", "a\nb\nc\ne")).toBe(false);
    expect(sameOutput("a", "a\nb")).toBe(false);
    expect(sameOutput("a  ", "a")).toBe(true);
  });
});
