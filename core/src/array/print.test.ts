import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import "../index.js";
import * as np from "../numpy/index.js";
import { type DType, newTypedArray } from "../base/dtype.js";
import { formatArray, type PrintOptions, printOptions, reprArray } from "./print.js";

interface Case { dtype: DType; shape: number[]; data: (number | string)[] | { arange: number }; options: Partial<PrintOptions>; str: string; repr: string }
// Made with NumPy 2.4: what str and repr print.
const cases = JSON.parse(readFileSync(new URL("./fixtures/print.json", import.meta.url), "utf8")) as Case[];

describe("arrays print as in NumPy", () => {
  it.each(cases.map((c, i) => [`${i} ${c.dtype}[${c.shape.join()}] ${JSON.stringify(c.options)} ${c.str.slice(0, 40).replaceAll("\n", " ")}`, c] as const))("%s", (_name, c) => {
    const list = Array.isArray(c.data) ? c.data.map((v) => (typeof v === "string" ? Number(v.replace("inf", "Infinity")) : v)) : Array.from({ length: c.data.arange }, (_, i) => i);
    const data = newTypedArray(c.dtype, list.length);
    data.set(list);
    const options = { ...printOptions(), ...c.options };
    expect(formatArray(data, c.shape, c.dtype, options)).toBe(c.str);
    expect(reprArray(data, c.shape, c.dtype, options)).toBe(c.repr);
  });
});

describe("print options", () => {
  it("are checked, and put back", () => {
    const x = new Float32Array([0.1, 2 / 3]);
    expect(np.printoptions({ precision: 2 }, () => np.arrayStr(x))).toBe("[0.1  0.67]");
    expect(np.arrayStr(x)).toBe("[0.1       0.6666667]");
    expect(() => np.setPrintoptions({ precison: 2 } as object)).toThrow(/precison/);
    expect(() => np.setPrintoptions({ precision: -1 })).toThrow(/at least 0/);
    expect(np.array2string([1, 2], { separator: ", " })).toBe("[1., 2.]");
    expect(np.array2string([[true, false]], { formatter: (v) => (v ? "T" : "F") })).toBe("[[T F]]");
    expect(np.formatFloatPositional(1e-3)).toBe("0.001");
    expect(np.formatFloatPositional(0.1, { unique: false, precision: 20 })).toBe("0.10000000000000000555");
    expect(np.formatFloatScientific(1234.5)).toBe("1.2345e+03");
    expect(np.formatFloatPositional(3, { trim: "-" })).toBe("3");
    np.setPrintoptions({ precision: 3 });
    expect(String(np.array([Math.PI]))).toBe("[3.142]");
    np.setPrintoptions({ precision: 8 });
    expect(String(np.array(Math.PI))).toBe("3.141592653589793");
  });
});
