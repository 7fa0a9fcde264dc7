import { readFileSync } from "node:fs";
import { type NDArray, np } from "@hessia/core";
import { describe, expect, it } from "vitest";
import { leastSquares, minimize, type MinimizeMethod } from "../index.js";

interface Entry { id: string; method: string; problem: string; options?: Record<string, number>; bounds?: unknown; lower?: unknown; loss?: string; x: number[]; f: number; grad_norm?: number; optimality?: number; success?: boolean }
const file = JSON.parse(readFileSync(new URL("../fixtures/scipy-solutions.json", import.meta.url), "utf8")) as {
  problems: Record<string, { formula: string; x0: number[]; data?: Record<string, number[]> }>;
  entries: Entry[];
};

type F = (x: NDArray) => NDArray;
const sq = np.square;
const rosen: F = (x) => np.sum(np.add(np.multiply(100, sq(np.subtract(x.get("1:"), sq(x.get(":-1"))))), sq(np.subtract(1, x.get(":-1")))));
const logreg = file.problems["logreg"]!.data!;
const objectives: Record<string, F> = {
  rosen2: rosen, rosen5: rosen, rosen10: rosen,
  wood: (x) => {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => x.get(i)) as [NDArray, NDArray, NDArray, NDArray];
    return [np.multiply(100, sq(b.sub(sq(a)))), sq(np.subtract(1, a)), np.multiply(90, sq(d.sub(sq(c)))), sq(np.subtract(1, c)), np.multiply(10, sq(b.add(d).sub(2))), np.multiply(0.1, sq(b.sub(d)))].reduce((s, t) => s.add(t));
  },
  beale: (v) => {
    const [x, y] = [v.get(0), v.get(1)];
    return [1.5, 2.25, 2.625].map((c, i) => sq(np.add(np.subtract(c, x), np.multiply(x, np.power(y, i + 1))))).reduce((s, t) => s.add(t));
  },
  powell_singular: (x) => {
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => x.get(i)) as [NDArray, NDArray, NDArray, NDArray];
    return [sq(a.add(b.mul(10))), np.multiply(5, sq(c.sub(d))), np.power(b.sub(c.mul(2)), 4), np.multiply(10, np.power(a.sub(d), 4))].reduce((s, t) => s.add(t));
  },
  styblinski: (x) => np.multiply(0.5, np.sum(np.add(np.subtract(np.power(x, 4), np.multiply(16, sq(x))), np.multiply(5, x)))),
  logreg: (w) => np.add(np.sum(np.log1p(np.exp(np.negative(np.multiply(np.array(logreg["t"]!), np.matmul(np.array(logreg["X"]!), w)))))), np.multiply(0.05, np.sum(sq(w)))),
};
const ls = (name: string): Record<string, number[]> => file.problems[name]!.data ?? {};
const expfit = (name: string): F => {
  const data = ls(name);
  const [t, y] = [np.array(data["t"] ?? data["x"]!), np.array(data["y"]!)];
  return (p) => np.subtract(np.add(np.multiply(p.get(0), np.exp(np.multiply(np.negative(p.get(1)), t))), p.get(2)), y);
};
const residuals: Record<string, F> = {
  ls_rosen: (x) => np.stack([np.multiply(10, np.subtract(x.get(1), sq(x.get(0)))), np.subtract(1, x.get(0))]),
  ls_expfit: (p) => expfit("ls_expfit")(p),
  ls_expfit_outliers: (p) => expfit("ls_expfit_outliers")(p),
  ls_powell_singular: (x) => np.stack([np.add(x.get(0), np.multiply(10, x.get(1))), np.multiply(Math.sqrt(5), np.subtract(x.get(2), x.get(3))), sq(np.subtract(x.get(1), np.multiply(2, x.get(2)))), np.multiply(Math.sqrt(10), sq(np.subtract(x.get(0), x.get(3))))]),
};
const methods: Record<string, MinimizeMethod> = { BFGS: "BFGS", "L-BFGS-B": "L-BFGS", "Newton-CG": "Newton-CG", "trust-ncg": "trust-ncg", "trust-exact": "trust-exact" };

describe("minimize against SciPy's solutions", () => {
  const waiting: string[] = [];
  let ran = 0;
  for (const entry of file.entries) {
    const bounded = entry.bounds !== undefined || entry.lower !== undefined || entry.loss !== undefined;
    if (entry.method.startsWith("least_squares") && !bounded) {
      ran++;
      it(entry.id, () => {
        const r = leastSquares(residuals[entry.problem]!, np.array(file.problems[entry.problem]!.x0));
        expect(r.success).toBe(true);
        // The minimum of Powell's singular function is flat: x is known to the fourth root of f only.
        const tolerance = entry.problem === "ls_powell_singular" ? 1e-3 : 1e-5;
        entry.x.forEach((x, i) => expect(Math.abs(Number(r.x.get(i).item()) - x)).toBeLessThan(tolerance * Math.max(1, Math.abs(x))));
        expect(r.cost).toBeLessThanOrEqual(entry.f + 1e-12 * Math.max(1, Math.abs(entry.f)));
      });
      continue;
    }
    const method = methods[entry.method];
    if (!method || bounded) {
      waiting.push(`${entry.id} (${bounded ? "bounds or robust loss" : entry.method})`);
      continue;
    }
    if (entry.success !== true) {
      waiting.push(`${entry.id} (SciPy stalled)`);
      continue;
    }
    ran++;
    it(entry.id, () => {
      const { gtol, ftol, xtol, maxiter, maxcor } = entry.options ?? {};
      const options = Object.fromEntries(Object.entries({ gtol, ftol, xtol, maxiter, maxcor }).filter(([, v]) => v !== undefined));
      const f = objectives[entry.problem]!;
      const r = minimize(f, np.array(file.problems[entry.problem]!.x0), { method, options });
      expect(r.success, r.message).toBe(true);
      expect(Math.abs(r.fun - entry.f)).toBeLessThan(1e-9 * Math.max(1, Math.abs(entry.f)));
      entry.x.forEach((x, i) => expect(Math.abs(Number(r.x.get(i).item()) - x)).toBeLessThan(1e-5));
      expect(r.nfev).toBeGreaterThan(0);
      expect(Number(np.max(np.abs(r.jac)).item())).toBeLessThan(1e-5);
    });
  }
  it("counts", () => {
    console.log(`scipy solutions: ${ran} of ${file.entries.length} ran; waiting: ${waiting.join(", ")}`);
    expect(ran).toBeGreaterThan(15);
  });
});

describe("minimize", () => {
  const all = ["BFGS", "L-BFGS", "Newton-CG", "trust-ncg", "trust-exact"] as const;
  it.each(all)("%s ends at a stationary point of every problem", (method) => {
    for (const [name, f] of Object.entries(objectives)) {
      const r = minimize(f, np.array(file.problems[name]!.x0), { method, options: method === "L-BFGS" ? { gtol: 1e-8, ftol: 0 } : method === "Newton-CG" ? { xtol: 1e-9 } : { gtol: 1e-7 } });
      expect(r.success, `${name}: ${r.message}`).toBe(true);
      expect(Number(np.max(np.abs(r.jac)).item()), name).toBeLessThan(1e-5);
    }
  });
  it("takes pytrees, callbacks and derivatives of your own", () => {
    const f = ({ a, b }: { a: NDArray; b: NDArray }) => np.add(np.sum(sq(np.subtract(a, 3))), sq(np.add(b, 1)));
    const seen: number[] = [];
    const r = minimize(f, { a: np.zeros([2, 2]), b: np.array(0) }, { method: "trust-exact", callback: ({ fun }) => void seen.push(fun) });
    expect(r.x.a.toArray()).toEqual([[3, 3], [3, 3]]);
    expect(r.x.b.item()).toBe(-1);
    expect(seen.length).toBe(r.nit);
    const own = minimize((x: NDArray) => np.sum(sq(x)), np.ones([2]), { method: "Newton-CG", jac: (x) => x.mul(2), hessp: (_, v) => v.mul(2) });
    expect(Math.abs(Number(own.fun))).toBeLessThan(1e-12);
  });
  it("refuses what it cannot do", () => {
    expect(() => minimize((x: NDArray) => x, np.ones([2]))).toThrow(/scalar objective/);
    expect(() => minimize((x: NDArray) => np.sum(x), np.array([1, 2]).astype("int32"))).toThrow(/float parameters/);
    expect(() => minimize((x: NDArray) => np.sum(x), np.ones([2]), { method: "SLSQP" as never })).toThrow(/one of BFGS/);
    expect(minimize((x: NDArray) => np.log(np.sum(x)), np.array([-1, -1])).status).toBe(3);
  });
});
