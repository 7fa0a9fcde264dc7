import { describe, expect, it } from "vitest";
import { checkProgram, evaluateProgram, printProgram, type Program } from "../extend.js";
import { cond, jit, lax, makeProgram, np, type NDArray, scan, vmap, whileLoop } from "../index.js";
import { optimize, passes } from "./optimize.js";

/** Each pass keeps the rules of Programs and the values, to the last bit. */
function optimized(f: (...args: never[]) => unknown, ...args: NDArray[]): Program {
  let program = makeProgram(f as (...a: NDArray[]) => unknown)(...args);
  const want = evaluateProgram(program, args).map((y) => [...y.data]);
  for (const [name, pass] of passes) {
    program = pass(program);
    checkProgram(program);
    expect(evaluateProgram(program, args).map((y) => [...y.data]), name).toEqual(want);
  }
  return program;
}
const names = (p: Program) => p.equations.map((e) => e.primitive.name);
const nested = (p: Program, name: string, key = "program") => (p.equations.find((e) => e.primitive.name === name)!.params as Record<string, Program>)[key]!;
const x = np.array([[1.5, -2, 0], [NaN, -0, Infinity]]);
const i = np.array([3, -4, 0]).astype("int32");

describe("simplify", () => {
  it.each<[string, (x: NDArray) => NDArray, string[]]>([
    ["identity elements", (v) => np.sin(v).mul(1).sub(0).div(1), ["sin"]],
    ["involutions", (v) => lax.rev(lax.rev(np.negative(np.negative(np.cos(v))), [0, 1]), [0, 1]), ["cos"]],
    ["views of views", (v) => np.sin(v).T.T.reshape([6]).reshape([3, 2]).reshape([6, 1]), ["sin", "reshape"]],
    ["transposes compose", (v) => np.transpose(np.transpose(v.reshape([1, 2, 3]), [1, 2, 0]), [1, 2, 0]), ["reshape", "transpose"]],
    ["conversions through wider types", (v) => v.astype("float32").astype("float64").astype("float32").sum(), ["convert", "reduceSum"]],
    ["bools through numbers", (v) => v.gt(0).astype("int32").astype("float64"), ["broadcast", "gt", "convert"]],
    ["a choice that is known", (v) => np.where(true, np.sin(v), np.cos(v)), ["sin"]],
    ["arithmetic of known numbers", (v) => np.multiply(v, np.add(2, np.multiply(3, 4))), ["broadcast", "mul"]],
    ["products that are one", (v) => np.multiply(np.multiply(np.broadcastTo(0.5, [2, 3]), np.full([2, 3], 2)), np.sin(v)), ["sin"]],
  ])("%s", (_name, f, left) => {
    expect(names(optimized(f, x))).toEqual(left);
  });

  it("leaves alone what would change a bit", () => {
    expect(names(optimized((v: NDArray) => v.add(0), x))).toContain("add");
    expect(names(optimized((v: NDArray) => np.multiply(v, 0), x))).toContain("mul");
    expect(names(optimized((v: NDArray) => v.astype("float32").astype("float64"), x))).toEqual(["convert", "convert"]);
    expect(names(optimized((v: NDArray) => v.astype("float64").astype("uint32"), i))).toEqual(["convert", "convert"]);
    expect(names(optimized((v: NDArray) => np.sin(np.add(v, 0)), i)).filter((n) => n === "add")).toEqual([]);
  });

  it("results of operations are arrays of their own", () => {
    const a = np.array([1, 2]);
    const b = jit((v: NDArray) => v.mul(1))(a);
    a.dispose();
    expect(b.toArray()).toEqual([1, 2]);
  });
});

describe("loops and branches", () => {
  const c0 = np.array([1, 2, 3]);
  const xs = np.arange(12).reshape([4, 3]);

  it("lose carries, results and inputs that nothing needs", () => {
    const f = (c: NDArray, rows: NDArray) => scan(([a, b, n]: NDArray[], [row, other]: NDArray[]) => [[a!.add(row!), b!.mul(a!), n!.add(1)], [np.sin(other!), a!.mul(2)]] as [NDArray[], NDArray[]], [c, c, np.array(0)] as NDArray[], [rows, rows.mul(2)] as NDArray[])[1][1]!;
    const p = optimized(f, c0, xs);
    expect(nested(p, "scan").inputs.length).toBe(2);
    expect(printProgram(p)).not.toMatch(/sin/);
    // A carry that another needed one reads stays.
    const g = (c: NDArray) => scan(([a, b]: NDArray[]) => [[a!.add(b!), b!.mul(2)], null] as [NDArray[], null], [c, c] as NDArray[], null, { length: 3 })[0][0]!;
    expect(nested(optimized(g, c0), "scan").outputs.length).toBe(2);
  });

  it("while loops keep what the condition reads", () => {
    const f = (c: NDArray) => (whileLoop((s: { n: NDArray; a: NDArray; b: NDArray }) => s.n.lt(3), (s) => ({ n: s.n.add(1), a: s.a.mul(2), b: np.sin(s.b) }), { n: np.array(0), a: c, b: c })).a;
    expect(nested(optimized(f, c0), "while", "body").outputs.length).toBe(2);
  });

  it("branches lose results and operands", () => {
    const f = (c: NDArray, d: NDArray) => cond(c.sum().gt(0), (a: NDArray, b: NDArray) => [a.mul(2), np.sin(b)], (a: NDArray, b: NDArray) => [a, b], c, d)[0]!;
    const p = optimized(f, c0, c0.mul(2));
    expect(p.equations.find((e) => e.primitive.name === "cond")!.inputs.length).toBe(2);
  });

  it("compute before the loop what does not change in it", () => {
    const f = (c: NDArray, w: NDArray, rows: NDArray) => scan((s: NDArray, row: NDArray) => [s.add(np.matmul(np.exp(np.sin(w)), row)), np.cos(w.sum())] as const, c, rows);
    const p = optimized(f as never, c0, np.ones([3, 3]), xs);
    expect(names(nested(p, "scan")).filter((n) => ["exp", "sin", "cos", "reduceSum"].includes(n))).toEqual([]);
    const g = (c: NDArray, w: NDArray) => whileLoop((s: NDArray) => s.sum().lt(50), (s) => s.add(np.exp(np.sin(w))), c);
    expect(names(nested(optimized(g as never, c0, c0), "while", "body"))).toEqual(["add"]);
    // What nothing runs is not computed.
    expect(names(nested(optimized((c: NDArray, w: NDArray) => scan((s: NDArray) => [s.add(np.exp(w)), null] as const, c, null, { length: 1 })[0], c0, c0), "scan"))).toContain("exp");
  });

  it("under vmap and in each other", () => {
    const body = (v: NDArray) => scan((s: NDArray, r: NDArray) => [whileLoop((t: NDArray[]) => t[0]!.sum().lt(20), (t) => [t[0]!.add(np.abs(r).add(1)), t[1]!.mul(2)], [s, s] as NDArray[])[0]!, s.mul(1)] as const, v, xs);
    optimized((m: NDArray) => vmap(body)(m), np.arange(6).reshape([2, 3]));
    const twice = optimize(makeProgram(body)(c0));
    expect(printProgram(optimize(twice))).toBe(printProgram(twice));
  });
});

