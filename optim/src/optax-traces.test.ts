import { readFileSync } from "node:fs";
import { jit, type NDArray, np, tree } from "@hessia/core";
import { describe, expect, it } from "vitest";
import { optaxProblems } from "./fixtures/problems.js";
import * as o from "./index.js";

interface Entry { id: string; call: string; problem: string; steps: number; loss_before_step: number[]; params: unknown[]; hutchinson_v?: unknown[] }
const file = JSON.parse(readFileSync(new URL("./fixtures/optax-traces.json", import.meta.url), "utf8")) as {
  problems: Record<string, { data: Record<string, unknown>; x0: unknown }>;
  entries: Entry[];
  schedules: { id: string; call: string; steps: number[]; values: number[] }[];
};

type Made = o.GradientTransformation;
type Kw = Record<string, never>;
/** The traces fix the types at run time. */
type Args = [never, never, never, never];
const camel = (name: string): string => name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());

/** How each name of the traces is called here: positional arguments and keywords, already translated to camelCase. */
const table: Record<string, (args: Args, kw: Kw) => unknown> = {
  chain: (a) => o.chain(...(a as unknown as Made[])),
  masked: ([inner]) => o.masked(inner, (p: never) => tree.map((x: NDArray) => x.ndim > 1, p)),
  sgd: ([lr], kw) => o.sgd(lr, kw), adam: ([lr], kw) => o.adam(lr, kw), adamw: ([lr], kw) => o.adamw(lr, kw), nadam: ([lr], kw) => o.nadam(lr, kw), nadamw: ([lr], kw) => o.nadamw(lr, kw),
  amsgrad: ([lr], kw) => o.amsgrad(lr, kw), adamax: ([lr], kw) => o.adamax(lr, kw), adamaxw: ([lr], kw) => o.adamaxw(lr, kw), adabelief: ([lr], kw) => o.adabelief(lr, kw), adan: ([lr], kw) => o.adan(lr, kw),
  adagrad: ([lr], kw) => o.adagrad(lr, kw), rmsprop: ([lr], kw) => o.rmsprop(lr, kw), adadelta: ([lr], kw) => o.adadelta(lr, kw), lamb: ([lr], kw) => o.lamb(lr, kw), lars: ([lr], kw) => o.lars(lr, kw), lion: ([lr], kw) => o.lion(lr, kw),
  radam: ([lr], kw) => o.radam(lr, kw), yogi: ([lr], kw) => o.yogi(lr, kw), novograd: ([lr], kw) => o.novograd(lr, kw), fromage: ([lr], kw) => o.fromage(lr, kw), signSgd: ([lr]) => o.signSgd(lr), signum: ([lr], kw) => o.signum(lr, kw),
  rprop: ([lr], kw) => o.rprop(lr, kw), optimisticGradientDescent: ([lr], kw) => o.optimisticGradientDescent(lr, kw), optimisticAdamV2: ([lr], kw) => o.optimisticAdamV2(lr, kw), adafactor: ([lr], kw) => o.adafactor(lr, kw),
  clipByGlobalNorm: ([v]) => o.clipByGlobalNorm(v), clip: ([v]) => o.clip(v), clipByBlockRms: ([v]) => o.clipByBlockRms(v), adaptiveGradClip: ([v], kw) => o.adaptiveGradClip(v, kw),
  ema: ([d], kw) => o.ema(d, kw), trace: ([d], kw) => o.trace(d, kw), scale: ([v]) => o.scale(v), addDecayedWeights: ([v]) => o.addDecayedWeights(v), centralize: () => o.centralize(), applyEvery: ([k]) => o.applyEvery(k),
  MultiSteps: ([inner], kw) => o.multiSteps(inner, kw["everyKSchedule"]!), scaleByTrustRatio: (_, kw) => o.scaleByTrustRatio(kw), normalizeByUpdateNorm: (_, kw) => o.normalizeByUpdateNorm(kw),
  polyakSgd: (_, kw) => o.polyakSgd(kw),
  acprop: ([lr], kw) => o.acprop(lr, kw), ademamix: ([lr], kw) => o.ademamix(lr, kw), adopt: ([lr], kw) => o.adopt(lr, kw), madgrad: ([lr], kw) => o.madgrad(lr, kw), sm3: ([lr], kw) => o.sm3(lr, kw), scheduleFreeSgd: ([lr], kw) => o.scheduleFreeSgd(lr, kw),
  lbfgs: (_, kw) => o.lbfgs({ ...kw, lineSearch: kw["linesearch"] === null ? "none" : "zoom" }),
  scaleByBacktrackingLinesearch: (_, kw) => o.scaleByBacktrackingLinesearch(kw as unknown as o.BacktrackingOptions),
  sophia: ([lr], kw) => o.sophia(lr, kw),
  linearSchedule: (a) => o.linearSchedule(...(a as unknown as [number, number, number])),
  polynomialSchedule: ([a, b, p, n], kw) => o.polynomialSchedule(a, b, p, n, kw["transitionBegin"]),
  exponentialDecay: ([v, n, r], kw) => o.exponentialDecay(v, n, r, kw),
  cosineDecaySchedule: ([v, n], kw) => o.cosineDecaySchedule(v, n, kw["alpha"], kw["exponent"]),
  warmupCosineDecaySchedule: (a) => o.warmupCosineDecaySchedule(...(a as unknown as [number, number, number, number, number])),
  piecewiseInterpolateSchedule: ([kind, v, t]) => o.piecewiseInterpolateSchedule(kind, v, t),
  joinSchedules: ([s, b]) => o.joinSchedules(s, b),
  constantSchedule: ([v]) => o.constantSchedule(v),
};

class Waiting extends Error {
  constructor(readonly missing: string) { super(missing); }
}

/** Reads a call as the traces print it: names, numbers, strings, lists, dictionaries, keywords, and one known lambda. */
function parseCall(source: string): unknown {
  const text = source.split(", b1=0.965")[0]!;
  let i = 0;
  const space = () => { while (text[i] === " ") i++; };
  const eat = (c: string) => {
    space();
    if (!text.startsWith(c, i)) throw new Error(`expected ${c} at ${i} of ${text}`);
    i += c.length;
  };
  const list = <T>(close: string, item: () => T): T[] => {
    const out: T[] = [];
    for (space(); text[i] !== close; space()) {
      out.push(item());
      space();
      if (text[i] === ",") i++;
    }
    i++;
    return out;
  };
  const value = (): unknown => {
    space();
    const rest = text.slice(i);
    if (rest[0] === "[") return i++, list("]", value);
    if (rest[0] === "{") return i++, Object.fromEntries(list("}", () => { const k = value(); eat(":"); return [k, value()]; }) as [string, unknown][]);
    if (rest[0] === '"') { const end = text.indexOf('"', i + 1); const s = text.slice(i + 1, end); i = end + 1; return s; }
    const number = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i.exec(rest);
    if (number) return (i += number[0].length), Number(number[0]);
    if (rest.startsWith("lambda")) { i = text.indexOf(",p)", i) + 3; return "lambda"; }
    const word = /^[\w.]+/.exec(rest)?.[0];
    if (word === undefined) throw new Error(`cannot read ${rest}`);
    i += word.length;
    if (word === "True") return true;
    if (word === "False") return false;
    if (word === "None") return null;
    const name = camel(word.split(".").at(-1)!);
    eat("(");
    const args: unknown[] = [];
    const kw: Record<string, unknown> = {};
    list(")", () => {
      const key = /^\s*([a-z_]\w*)\s*=(?!=)/i.exec(text.slice(i));
      if (key) {
        i += key[0].length;
        kw[camel(key[1]!)] = value();
      } else args.push(value());
    });
    if (!Object.hasOwn(table, name)) throw new Waiting(name);
    return table[name]!(args as unknown as Args, kw as Kw);
  };
  return value();
}

function worst(got: unknown, want: unknown): number {
  const flat = (x: unknown) => tree.leaves<number>(x);
  const [a, b] = [flat(got), flat(want)];
  expect(a.length).toBe(b.length);
  return Math.max(0, ...a.map((x, i) => (Math.abs(x - b[i]!) <= 0 ? 0 : Math.abs(x - b[i]!) || (Number.isNaN(x) ? Infinity : 0))));
}

const toArrays = (x: unknown, problem: string): unknown => (problem === "tree" ? Object.fromEntries(Object.entries(x as Record<string, number[]>).map(([k, v]) => [k, np.array(v)])) : np.array(x as number[]));

describe("optax traces", () => {
  const waiting: string[] = [];
  let ran = 0;
  for (const entry of file.entries) {
    let opt: Made;
    try {
      opt = parseCall(entry.call) as Made;
    } catch (e) {
      if (!(e instanceof Waiting)) throw e;
      waiting.push(`${entry.id} (${e.missing})`);
      continue;
    }
    ran++;
    it(entry.id, () => {
      const problem = file.problems[entry.problem]!;
      const loss = optaxProblems[entry.problem]!(problem.data) as (p: unknown) => NDArray;
      const at = o.oracle(loss as (p: never) => NDArray);
      let params: unknown = toArrays(problem.x0, entry.problem);
      let state = opt.init(params);
      const step = jit((p: unknown, s: unknown, probe: unknown) => {
        const point = at(p as never);
        const extra = entry.hutchinson_v ? o.withExtras(point, { probes: probe }) : point;
        const [updates, next] = opt.update(extra.grad, s, p, extra);
        return [o.applyUpdates(p, updates), next, point.value] as const;
      });
      // The j-th evaluation of the diagonal uses the j-th vector.
      const every = Number(/update_interval=(\d+)/.exec(entry.call)?.[1] ?? 1);
      const probes = Array.from({ length: entry.steps }, (_, k) => (entry.hutchinson_v ? toArrays(entry.hutchinson_v[Math.floor(k / every)], entry.problem) : null));
      const tolerance = /lbfgs|backtracking/.test(entry.id) ? 1e-6 : 1e-9;
      for (let k = 0; k < entry.steps; k++) {
        const [next, s, value] = step(params, state, probes[k] ?? null);
        expect(Math.abs(Number(value.item()) - entry.loss_before_step[k]!)).toBeLessThan(tolerance * 10);
        [params, state] = [next, s];
        expect(worst(tree.map((x: NDArray) => x.toArray(), params), entry.params[k]), `step ${k}`).toBeLessThan(tolerance);
      }
    });
  }
  it("counts", () => {
    console.log(`optax traces: ${ran} of ${file.entries.length} ran; waiting: ${waiting.join(", ") || "none"}`);
    expect(ran).toBeGreaterThan(50);
  });
});

describe("schedules of optax", () => {
  for (const entry of file.schedules)
    it(entry.id, () => {
      const schedule = parseCall(entry.call) as o.Schedule;
      const traced = jit((t: NDArray) => np.asarray(schedule(t)));
      entry.steps.forEach((t, i) => {
        expect(Math.abs(Number(np.asarray(schedule(t)).item()) - entry.values[i]!)).toBeLessThan(1e-12);
        expect(Math.abs(Number(traced(np.asarray(t)).item()) - entry.values[i]!)).toBeLessThan(1e-12);
        expect(Math.abs(Number(traced(np.asarray(t).astype("int32")).item()) - entry.values[i]!)).toBeLessThan(1e-7);
      });
    });
});
