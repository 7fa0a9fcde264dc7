import { type DType, isFloat, type TypedArray } from "../base/dtype.js";
import { contiguousStrides, type Shape, sizeOf } from "../base/shape.js";
import { positional, scientific } from "./float-text.js";

/** How arrays print; the names and defaults are NumPy's. */
export interface PrintOptions {
  /** Digits behind the point; null for as many as tell the numbers apart. */
  readonly precision: number | null;
  /** Arrays of more elements are summarised. */
  readonly threshold: number;
  /** Elements shown at each end of a summarised axis. */
  readonly edgeitems: number;
  readonly linewidth: number;
  /** Never write scientific notation because of small numbers. */
  readonly suppress: boolean;
  readonly nanstr: string;
  readonly infstr: string;
  /** "-": only minus signs; "+": plus signs too; " ": a space in place of plus. */
  readonly sign: "-" | "+" | " ";
  /** "maxprec": up to `precision` digits, as few as needed; "maxprec_equal": as many for all as the longest needs; "fixed": exactly `precision`; "unique": as many as needed. */
  readonly floatmode: "fixed" | "unique" | "maxprec" | "maxprec_equal";
  /** Overrides all of it. */
  readonly formatter: ((value: number | boolean) => string) | null;
}

const defaults: PrintOptions = { precision: 8, threshold: 1000, edgeitems: 3, linewidth: 75, suppress: false, nanstr: "nan", infstr: "inf", sign: "-", floatmode: "maxprec", formatter: null };
let current: PrintOptions = defaults;
export const printOptions = (): PrintOptions => current;
export const replacePrintOptions = (options: PrintOptions): void => { current = options; };

type Format = (value: number) => string;
const longest = (texts: readonly string[]): number => texts.reduce((n, t) => Math.max(n, t.length), 0);

function floatFormat(values: readonly number[], dtype: DType, o: PrintOptions): Format {
  const single = dtype === "float32";
  const finite = values.filter(Number.isFinite);
  const sizes = finite.map(Math.abs).filter((v) => v !== 0);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  const smallest = sizes.reduce((a, b) => Math.min(a, b), Infinity);
  const ratio = single ? Math.fround(largest / smallest) : largest / smallest;
  const exponents = sizes.length > 0 && (largest >= (single ? 1e6 : 1e8) || (!o.suppress && (smallest < (single ? Math.fround(1e-4) : 1e-4) || ratio > 1000)));
  const plus = o.sign === "+";
  const precision = o.floatmode === "unique" ? null : o.precision;
  const unique = o.floatmode !== "fixed";
  let left = 0;
  let right = 0;
  let write: Format = String;
  if (finite.length > 0 && exponents) {
    const first = finite.map((v) => scientific(v, single, { precision, unique, trim: unique ? "." : "k", plus }).split("e") as [string, string]);
    const digits = Math.max(...first.map(([m]) => m.split(".")[1]!.length));
    const exponentDigits = longest(first.map(([, e]) => e)) - 1;
    left = longest(first.map(([m]) => m.split(".")[0]!));
    right = exponentDigits + 2 + digits;
    write = (v) => scientific(v, single, { precision: digits, minDigits: digits, unique, trim: "k", plus, exponentDigits });
  } else if (finite.length > 0) {
    const first = finite.map((v) => positional(v, single, { precision, unique, trim: unique ? "." : "k", plus }).split(".") as [string, string]);
    left = longest(first.map((p) => p[0]));
    right = longest(first.map((p) => p[1]));
    const equal = o.floatmode === "fixed" || o.floatmode === "maxprec_equal";
    write = equal ? (v) => positional(v, single, { precision: right, minDigits: right, unique, trim: "k", plus }) : (v) => positional(v, single, { precision, unique, trim: ".", plus });
  }
  if (o.sign === " " && !finite.some((v) => v < 0 || Object.is(v, -0))) left++;
  if (finite.length !== values.length) {
    const signed = o.sign !== "-" || values.includes(-Infinity);
    left = Math.max(left, o.nanstr.length - right - 1, o.infstr.length + (signed ? 1 : 0) - right - 1);
  }
  return (v) => {
    if (Number.isNaN(v)) return ((plus ? "+" : "") + o.nanstr).padStart(left + right + 1);
    if (!Number.isFinite(v)) return ((v < 0 ? "-" : plus ? "+" : "") + o.infstr).padStart(left + right + 1);
    const [whole, rest] = splitAtPoint(write(v));
    return whole.padStart(left) + (exponents ? rest : rest.padEnd(right + 1));
  };
}
function splitAtPoint(text: string): [string, string] {
  const at = text.indexOf(".");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
}

function integerFormat(values: readonly number[], o: PrintOptions): Format {
  const negative = values.some((v) => v < 0);
  const mark = o.sign === "+" ? "+" : o.sign === " " && !negative ? " " : "";
  const text: Format = (v) => (v < 0 ? String(v) : mark + String(v));
  const extremes = values.length ? [values.reduce((a, b) => Math.max(a, b)), values.reduce((a, b) => Math.min(a, b))] : [];
  const width = longest(extremes.map(text));
  return (v) => text(v).padStart(width);
}

function formatFor(values: readonly number[], dtype: DType, o: PrintOptions): Format {
  if (o.formatter) return (v) => o.formatter!(dtype === "bool" ? v !== 0 : v);
  if (dtype === "bool") return (v) => (v ? " True" : "False");
  return isFloat(dtype) ? floatFormat(values, dtype, o) : integerFormat(values, o);
}

/** A scalar as `str` of NumPy's scalars prints it: all the digits that it takes. */
export function formatScalar(value: number, dtype: DType, o: PrintOptions = current): string {
  if (o.formatter) return o.formatter(dtype === "bool" ? value !== 0 : value);
  if (dtype === "bool") return value ? "True" : "False";
  if (!isFloat(dtype)) return String(value);
  if (Number.isNaN(value)) return o.nanstr;
  if (!Number.isFinite(value)) return (value < 0 ? "-" : "") + o.infstr;
  const size = Math.abs(value);
  const single = dtype === "float32";
  if (value === 0 || (size >= 1e-4 && size < (single ? 1e6 : 1e16))) return positional(value, single, { precision: null, unique: true, trim: "0" });
  return scientific(value, single, { precision: null, unique: true, trim: "-" });
}

/**
 * The elements as NumPy's `str` prints them: aligned columns, `...` past `threshold` elements, lines of at most `linewidth`.
 * `prefix` is text that stands before, by whose length lines are indented; `separator` stands between elements.
 */
export function formatArray(data: TypedArray, shape: Shape, dtype: DType, o: PrintOptions = current, separator = " ", prefix = ""): string {
  if (shape.length === 0 && separator === " ") return formatScalar(data[0]!, dtype, o);
  const summarise = sizeOf(shape) > o.threshold;
  const strides = contiguousStrides(shape);
  const shown = shape.map((n) => (summarise && n > 2 * o.edgeitems ? [...keys(o.edgeitems), ...keys(o.edgeitems).map((i) => n - o.edgeitems + i)] : keys(n)));
  const values: number[] = [];
  const collect = (d: number, at: number): void => {
    if (d === shape.length) values.push(data[at]!);
    else for (const i of shown[d]!) collect(d + 1, at + i * strides[d]!);
  };
  if (sizeOf(shape) > 0) collect(0, 0);
  const format = formatFor(values, dtype, o);
  if (shape.length === 0) return dtype === "bool" && !o.formatter ? format(data[0]!).trim() : format(data[0]!);
  if (sizeOf(shape) === 0) return "[]";

  const tight = separator.trimEnd();
  const go = (d: number, at: number, indent: string, width: number): string => {
    const n = shape[d]!;
    const gap = summarise && 2 * o.edgeitems < n ? o.edgeitems : -1;
    const last = d === shape.length - 1;
    let lines = "";
    let line = indent;
    const items = shown[d]!;
    const room = width - Math.max(tight.length, 1);
    // A word goes on a new line where it does not fit, unless the line is empty anyway.
    const put = (word: string, end: string): void => {
      if (line.length + word.length > room && line.length > indent.length) {
        lines += `${line.trimEnd()}\n`;
        line = indent;
      }
      line += word + end;
    };
    const rowEnd = tight + "\n".repeat(shape.length - d - 1);
    items.forEach((i, k) => {
      const end = k < items.length - 1;
      if (k === gap) {
        if (last) put("...", separator);
        else lines += `${indent}...${rowEnd}`;
      }
      if (last) put(format(data[at + i]!), end ? separator : "");
      else lines += indent + go(d + 1, at + i * strides[d]!, `${indent} `, width - 1) + (end ? rowEnd : "");
    });
    return `[${(last ? lines + line : lines).slice(indent.length)}]`;
  };
  return go(0, 0, " ".repeat(prefix.length + 1), o.linewidth);
}
const keys = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** As NumPy's `repr`: `array([1., 2.], dtype=float32)`. */
export function reprArray(data: TypedArray, shape: Shape, dtype: DType, o: PrintOptions = current): string {
  const size = sizeOf(shape);
  const prefix = "array(";
  const text = prefix + formatArray(data, shape, dtype, { ...o, linewidth: o.linewidth - 1 }, ", ", prefix);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const extras: string[] = [];
  if ((size === 0 && !(shape.length === 1)) || size > o.threshold) extras.push(`shape=${tuple}`);
  if ((dtype !== "float64" && dtype !== "bool") || size === 0) extras.push(`dtype=${dtype}`);
  if (extras.length === 0) return `${text})`;
  const extra = `${extras.join(", ")})`;
  const lastLine = text.length + 1 - (text.lastIndexOf("\n") + 1);
  return `${text},${lastLine + extra.length + 1 > o.linewidth ? `\n${" ".repeat(prefix.length)}` : " "}${extra}`;
}
