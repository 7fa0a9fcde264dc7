import { readFileSync } from "node:fs";
import * as core from "@hessia/core";
import { grad, hessian, hvp, jvp, vjp } from "@hessia/autodiff";
import * as linalg from "@hessia/linalg";
import * as nn from "@hessia/nn";
import { afterAll, describe, expect, it } from "vitest";
import { formulas, type Libraries, type Names } from "./formulas.js";

const { np } = core;
type Nested = number | string | Nested[];
interface Case {
  readonly id: string; readonly formula: string; readonly inputs: Readonly<Record<string, Nested>>; readonly wrt: readonly string[];
  readonly value: Nested; readonly u: Nested; readonly v: Readonly<Record<string, Nested>>;
  readonly jvp: Nested; readonly vjp: Readonly<Record<string, Nested>>; readonly hvp?: Readonly<Record<string, Nested>>; readonly hessian?: Nested; readonly d3?: Nested;
  readonly mp_derivs?: readonly Nested[]; readonly nonsmooth: boolean; readonly strength?: "must" | "convention" | "implementation";
}
const cases = (JSON.parse(readFileSync(new URL("fixtures/derivs.json", import.meta.url), "utf8")) as { entries: Case[] }).entries;

/** A name that the libraries do not have yet. */
class MissingName extends Error {}
const library = (name: string, members: object): Names => new Proxy(members, {
  get(target, key) {
    const found = (target as Record<string | symbol, unknown>)[key];
    if (found === undefined && typeof key === "string") throw new MissingName(`${name}.${key}`);
    return found;
  },
});
const libraries: Libraries = {
  np: library("np", np), lax: library("lax", core.lax), special: library("special", core.special), linalg: library("linalg", linalg), nn: library("nn", nn),
  grad, vmap: core.vmap, scan: core.scan, cond: core.cond,
};

const number = (x: number | string): number => (x === "nan" ? NaN : x === "inf" ? Infinity : x === "-inf" ? -Infinity : (x as number));
const decode = (x: Nested): unknown => (Array.isArray(x) ? x.map(decode) : number(x));
const array = (x: Nested): core.NDArray => np.array(decode(x) as never, { dtype: "float64" });
const flat = (x: unknown): number[] => (x instanceof core.NDArray ? Array.from(x.data, Number) : Array.isArray(x) ? x.flatMap(flat) : typeof x === "object" && x !== null ? Object.values(x).flatMap(flat) : [number(x as number | string)]);

function expectClose(what: string, got: unknown, expected: unknown, rtol: number, mayBeFinite: boolean): void {
  const [a, b] = [flat(got), flat(expected)];
  expect(a.length, what).toBe(b.length);
  const scale = Math.max(0, ...b.filter(Number.isFinite).map(Math.abs));
  a.forEach((x, i) => {
    const y = b[i]!;
    if (Object.is(x, y) || x === y) return;
    // Where the reference has no value, a finite one is no error: kinks are finite wherever mathematics allows.
    if (Number.isNaN(y) && mayBeFinite) return;
    expect(Math.abs(x - y), `${what}[${i}]: ${x} against ${y}`).toBeLessThanOrEqual(rtol * Math.max(Math.abs(y), scale) + 1e-12);
  });
}

const ran: string[] = [];
const waiting = new Map<string, string>();
const advisory: string[] = [];

function run(c: Case): void {
  const formula = formulas[c.id]!;
  const inputs = Object.fromEntries(Object.entries(c.inputs).map(([k, v]) => [k, array(v)]));
  const f = (...xs: core.NDArray[]): core.NDArray => formula({ ...inputs, ...Object.fromEntries(c.wrt.map((k, i) => [k, xs[i]!])) }, libraries);
  const xs = c.wrt.map((k) => inputs[k]!);
  const vs = c.wrt.map((k) => array(c.v[k]!));
  const u = array(c.u);
  const at = (k: number, other: Nested): unknown => (c.mp_derivs && c.wrt.length === 1 && c.mp_derivs[k] !== undefined ? c.mp_derivs[k] : other);
  const free = c.nonsmooth;
  const [value, pushed] = jvp(f as never, xs as never, vs as never) as [core.NDArray, core.NDArray];
  expectClose("value", value, at(0, c.value), 1e-9, false);
  expectClose("jvp", pushed, at(1, c.jvp), 1e-9, free);
  const [, pull] = vjp(f as never, ...(xs as never[])) as unknown as [core.NDArray, (u: core.NDArray) => unknown];
  expectClose("vjp", pull(u), c.mp_derivs && c.wrt.length === 1 ? c.mp_derivs[1] : c.wrt.map((k) => c.vjp[k]), 1e-9, free);
  if (c.hvp === undefined) return;
  const argnums = c.wrt.map((_, i) => i);
  const weighted = (...ys: core.NDArray[]): core.NDArray => np.sum(np.multiply(u, f(...ys)));
  const second = c.mp_derivs && c.wrt.length === 1 ? c.mp_derivs[2] : c.wrt.map((k) => c.hvp![k]);
  for (const mode of ["fwd-over-rev", "rev-over-rev", "rev-over-fwd"] as const) expectClose(`hvp ${mode}`, hvp(weighted as never, xs as never, vs as never, { argnums, mode } as never)[1], second, 1e-8, free);
  if (c.hessian !== undefined) {
    const blocks = hessian(weighted as never, { argnums } as never)(...(xs as never[])) as unknown as core.NDArray[][];
    const sizes = xs.map((x) => x.size);
    const rows = np.concatenate(blocks.map((row, i) => np.concatenate(row.map((b, j) => b.reshape([sizes[i]!, sizes[j]!])), 1)), 0);
    expectClose("hessian", rows, c.mp_derivs && c.wrt.length === 1 ? [[c.mp_derivs[2]!]] : c.hessian, 1e-8, free);
  }
  if (c.d3 === undefined) return;
  const along = (e: core.NDArray): core.NDArray => weighted(...xs.map((x, i) => np.add(x, np.multiply(e, vs[i]!))));
  expectClose("d3", grad(grad(grad(along)))(np.array(0)), at(3, c.d3), 1e-6, free);
}

describe("derivative cases", () => {
  for (const c of cases)
    it(`${c.id}: ${c.formula.split("\n").at(-1)}`, () => {
      expect(formulas[c.id], "a formula").toBeDefined();
      try {
        run(c);
        ran.push(c.id);
      } catch (e) {
        if (e instanceof MissingName) {
          waiting.set(c.id, e.message);
          return;
        }
        // What JAX does at a point where nothing is agreed is of interest, no more.
        if (c.strength === "implementation") {
          advisory.push(`${c.id}: ${(e as Error).message.split("\n")[0]}`);
          return;
        }
        throw e;
      }
    });
  afterAll(() => {
    console.log(`derivative cases: ${ran.length} of ${cases.length} ran and agree${advisory.length ? `; ${advisory.length} choose otherwise than JAX where nothing is agreed (${advisory.join(", ")})` : ""}${waiting.size ? `; ${waiting.size} wait for names: ${[...waiting].map(([id, name]) => `${id} (${name})`).join(", ")}` : ""}`);
  });
  it("only names of linear algebra and Fourier transforms are awaited", () => {
    for (const [id, name] of waiting) expect(name, id).toMatch(/^(linalg|np\.fft|nn)/);
    expect(ran.length).toBeGreaterThan(90);
  });
});
