import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type ArrayLike, type IndexItem, NDArray, np } from "@hessia/core";
import type { DType } from "../base/dtype.js";
import { HessiaError } from "../base/errors.js";

/** Golden cases made with NumPy 2.4.1: function, arguments, keywords, result. */
interface Entry {
  readonly id: string;
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly jax_result?: unknown;
  readonly multi?: boolean;
  readonly error?: string;
}
interface Encoded { readonly dtype: string; readonly shape: readonly number[]; readonly data: unknown }
const read = (file: string): Entry[] => (JSON.parse(readFileSync(new URL(`./fixtures/${file}`, import.meta.url), "utf8")) as { entries: Entry[] }).entries;
/** The second file is written by fixtures/generate-functions.py. */
const files: Readonly<Record<string, Entry[]>> = { "numpy-cases.json": read("numpy-cases.json"), "functions.json": read("functions.json") };
const entries = Object.values(files).flat();

/** dtypes of NumPy that we have, under our names; the default integer is int32 here. */
const dtypes: Readonly<Record<string, DType>> = { bool: "bool", int32: "int32", int64: "int32", int8: "int32", uint32: "uint32", float32: "float32", float64: "float64" };
class Unavailable extends Error {}

const number = (v: unknown): number => (v === "nan" ? NaN : v === "inf" ? Infinity : v === "-inf" ? -Infinity : Number(v));
const isEncoded = (v: unknown): v is Encoded => typeof v === "object" && v !== null && "dtype" in v && "shape" in v;
const flat = (v: unknown): number[] => (Array.isArray(v) ? v.flatMap(flat) : [number(v)]);
function ourDType(name: string): DType {
  const dtype = dtypes[name];
  if (!dtype) throw new Unavailable(`dtype ${name}`);
  return dtype;
}

function decode(v: unknown): unknown {
  if (isEncoded(v)) return np.array(flat(v.data), { dtype: ourDType(v.dtype) }).reshape(v.shape);
  if (Array.isArray(v)) return v.map(decode);
  if (typeof v === "object" && v !== null) {
    if ("tuple" in v) return (v.tuple as unknown[]).map(decode);
    if ("dtype_name" in v) return ourDType(String(v.dtype_name));
    if ("ellipsis" in v) return "...";
    if ("slice" in v) {
      const [start, stop, step] = v.slice as (number | null)[];
      return { start, stop, step };
    }
    throw new Unavailable(`argument ${JSON.stringify(v)}`);
  }
  return v === "inf" || v === "-inf" || v === "nan" ? number(v) : v;
}

const camel = (name: string): string => name.replaceAll(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase()).replace(/_$/, "");
type Kwargs = Record<string, unknown>;
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the table calls functions of every signature
type AnyFunction = (...args: any[]) => unknown;

/** NumPy's parameters that are positional in ours; the remaining keywords go into the options object. */
const positional: Readonly<Record<string, readonly string[]>> = {
  default: ["x", "axis"],
  diff: ["x", "n", "axis"], take: ["x", "indices", "axis"], take_along_axis: ["x", "indices", "axis"], quantile: ["x", "q", "axis"], percentile: ["x", "q", "axis"],
  histogram: ["x", "bins"], histogram2d: ["x", "y", "bins"], correlate: ["a", "v", "mode"], convolve: ["a", "v", "mode"], cov: ["m", "y"], tensordot: ["a", "b", "axes"],
  eye: ["n", "m", "k"], trace: ["x", "offset", "axis1", "axis2"], roll: ["x", "shift", "axis"], split: ["x", "sections", "axis"], delete: ["x", "index", "axis"],
  linspace: ["start", "stop", "num"], vander: ["x", "n"], searchsorted: ["a", "v"], array_equal: ["a", "b"], full: ["shape", "value"], ones_like: ["x"], gradient: ["x", "axis"],
  nanquantile: ["x", "q", "axis"], nanpercentile: ["x", "q", "axis"], histogram_bin_edges: ["x", "bins"], bincount: ["x"], interp: ["x", "xp", "fp"], isclose: ["a", "b"],
  logspace: ["start", "stop", "num"], geomspace: ["start", "stop", "num"], ediff1d: ["x"], corrcoef: ["m", "y"],
  trapezoid: ["y", "x"], meshgrid: ["x", "y"], argsort: ["x", "axis"], pad: ["x", "width", "mode"],
};

/** Calls a function of ours as NumPy would be called. */
function spread(name: string, f: AnyFunction, args: readonly unknown[], kwargs: Kwargs): unknown {
  const names = positional[name] ?? positional.default!;
  const list: unknown[] = [...args];
  const options: Kwargs = {};
  for (const [key, value] of Object.entries(kwargs)) {
    const at = names.indexOf(key);
    if (at < 0) options[camel(key)] = value;
    else list[at] = value;
  }
  if (Object.keys(options).length > 0) {
    while (list.length < names.length) list.push(undefined);
    list.push(options);
  }
  return f(...list);
}

/** Where NumPy's call has another form than ours. */
const special: Readonly<Record<string, (args: unknown[], kwargs: Kwargs) => unknown>> = {
  getitem: ([x, index]) => (x as NDArray).get(...(index as IndexItem[])),
  broadcast_shapes: (shapes) => np.array(np.broadcastShapes(...(shapes as number[][])), { dtype: "int32" }),
  gradient: ([x, spacing]) => np.gradient(x as ArrayLike, null, { spacing: spacing as ArrayLike }),
  arange: (args) => np.arange(...(args as [number, number, number])),
};

/** Names that later stages bring. */
const later = (fn: string): boolean => /^(fft|linalg)\./.test(fn);

function compare(got: unknown, want: unknown, id: string): void {
  if (!isEncoded(want)) throw new Error(`${id}: unknown form of result`);
  const array = got instanceof NDArray ? got : np.array(got as ArrayLike);
  const dtype = ourDType(want.dtype);
  expect({ id, shape: array.shape, dtype: array.dtype }).toEqual({ id, shape: want.shape, dtype });
  const expected = flat(want.data);
  const actual = Array.from(array.data);
  const tolerance = dtype === "float32" ? 1e-6 : 1e-13;
  expected.forEach((e, i) => {
    const a = actual[i]!;
    const close = Object.is(a, e) || a === e || Math.abs(a - e) <= tolerance * Math.max(1, Math.abs(e));
    if (!close) throw new Error(`${id}: element ${i} is ${a}, NumPy has ${e} (got ${actual.join(" ")}; want ${expected.join(" ")})`);
  });
}

function run(entry: Entry): unknown {
  const args = entry.args.map(decode);
  const kwargs = Object.fromEntries(Object.entries(entry.kwargs ?? {}).map(([k, v]) => [k, decode(v)]));
  const own = special[entry.fn];
  if (own) return own(args, kwargs);
  const f = (np as unknown as Record<string, AnyFunction>)[camel(entry.fn)];
  if (!f) throw new Unavailable(`np.${camel(entry.fn)}`);
  return spread(entry.fn, f, args, kwargs);
}

const waiting: string[] = [];
let ran = 0;

describe("NumPy golden cases", () => {
  for (const [file, list] of Object.entries(files)) for (const entry of list.filter((e) => !later(e.fn)))
    it(`${file} ${entry.id}`, () => {
      try {
        if (entry.error) {
          expect(() => run(entry)).toThrow(HessiaError);
        } else {
          const got = run(entry);
          const match = (want: unknown) => {
            if (!entry.multi) return compare(got, want, entry.id);
            const list = want as unknown[];
            expect((got as unknown[]).length).toBe(list.length);
            list.forEach((w, i) => compare((got as unknown[])[i], w, `${entry.id}[${i}]`));
          };
          try {
            match(entry.result);
          } catch (e) {
            if (entry.jax_result === undefined || e instanceof Unavailable) throw e;
            match(entry.jax_result);
          }
        }
        ran++;
      } catch (e) {
        if (!(e instanceof Unavailable)) throw e;
        waiting.push(`${entry.id} (${e.message})`);
      }
    });

  it("names what waits for other parts", () => {
    const others = [...new Set(entries.filter((e) => later(e.fn)).map((e) => e.fn))];
    console.log(`${ran} of ${entries.length} NumPy cases ran. Waiting: ${waiting.join(", ") || "none"}; in later parts: ${others.join(", ")}`);
    expect(ran).toBeGreaterThanOrEqual(530);
  });
});
