import type { ArrayLike, NDArray } from "../array/ndarray.js";
import { positional, scientific } from "../array/float-text.js";
import { formatArray, formatScalar, printOptions, type PrintOptions, replacePrintOptions, reprArray } from "../array/print.js";
import { ArgumentError } from "../base/errors.js";
import { Tracer } from "../trace/trace.js";
import { asArray } from "./convert.js";
import { requireChoice, requireInteger, requireOptions } from "./options.js";

const names = ["precision", "threshold", "edgeitems", "linewidth", "suppress", "nanstr", "infstr", "sign", "floatmode", "formatter"] as const;

function checked(options: Partial<PrintOptions>, fn: string): PrintOptions {
  const given = Object.fromEntries(Object.entries(requireOptions(options, fn, names)).filter(([, v]) => v !== undefined)) as Partial<PrintOptions>;
  const o = { ...printOptions(), ...given };
  if (o.precision !== null) requireInteger(o.precision, fn, "precision", 0);
  else if (o.floatmode === "fixed") throw new ArgumentError({ fn, arg: "precision", expected: 'a number in floatmode "fixed"', got: "null", fix: "give the number of digits" });
  if (o.threshold !== Infinity) requireInteger(o.threshold, fn, "threshold", 0);
  requireInteger(o.edgeitems, fn, "edgeitems", 0);
  if (o.linewidth !== Infinity) requireInteger(o.linewidth, fn, "linewidth", 1);
  requireChoice(o.sign, ["-", "+", " "], fn, "sign");
  requireChoice(o.floatmode, ["fixed", "unique", "maxprec", "maxprec_equal"], fn, "floatmode");
  return o;
}

/** How arrays print. */
export const getPrintoptions = (): PrintOptions => printOptions();

/**
 * Changes how arrays print; what is not named stays.
 * @throws ArgumentError for unknown options and values out of range.
 * @example np.setPrintoptions({ precision: 3, suppress: true });
 */
export const setPrintoptions = (options: Partial<PrintOptions>): void => replacePrintOptions(checked(options, "setPrintoptions"));

/** Runs a function with other print options and puts the old ones back. @example np.printoptions({ precision: 2 }, () => String(x)) */
export function printoptions<T>(options: Partial<PrintOptions>, f: () => T): T {
  const before = printOptions();
  replacePrintOptions(checked(options, "printoptions"));
  try {
    return f();
  } finally {
    replacePrintOptions(before);
  }
}

function elements(x: ArrayLike, fn: string): NDArray | string {
  const array = asArray(x, fn);
  return array instanceof Tracer && !array.concrete() ? array.toString() : array;
}

/** As `String(x)`, with options. @example np.arrayStr([1, 0.5]) // "[1.  0.5]" */
export function arrayStr(x: ArrayLike, options: Partial<PrintOptions> = {}): string {
  const array = elements(x, "arrayStr");
  return typeof array === "string" ? array : formatArray(array.data, array.shape, array.dtype, checked(options, "arrayStr"));
}

/** As Python's `repr`: with dtype, and shape where it does not show. @example np.arrayRepr(new Float32Array([1])) // "array([1.], dtype=float32)" */
export function arrayRepr(x: ArrayLike, options: Partial<PrintOptions> = {}): string {
  const array = elements(x, "arrayRepr");
  return typeof array === "string" ? array : reprArray(array.data, array.shape, array.dtype, checked(options, "arrayRepr"));
}

/** The elements as text with a separator of choice, indented by the length of `prefix`. @example np.array2string([1, 2], { separator: ", " }) // "[1., 2.]" */
export function array2string(x: ArrayLike, options: Partial<PrintOptions> & { readonly separator?: string; readonly prefix?: string; readonly suffix?: string } = {}): string {
  const { separator = " ", prefix = "", suffix = "", ...rest } = requireOptions(options, "array2string", [...names, "separator", "prefix", "suffix"]);
  const array = elements(x, "array2string");
  const o = checked(rest, "array2string");
  return typeof array === "string" ? array : formatArray(array.data, array.shape, array.dtype, { ...o, linewidth: o.linewidth - suffix.length }, separator, prefix);
}

export interface FloatTextOptions {
  readonly precision?: number | null;
  /** Fewest digits that tell the number apart; otherwise exactly `precision`. */
  readonly unique?: boolean;
  /** What of trailing zeros stays: "k" all, "." the point, "0" one zero, "-" nothing. */
  readonly trim?: "k" | "." | "0" | "-";
  readonly sign?: boolean;
  readonly minDigits?: number;
}
const floatText = (x: ArrayLike, options: (FloatTextOptions & { readonly expDigits?: number }) | undefined, fn: string, extra: readonly "expDigits"[], write: typeof scientific): string => {
  const array = asArray(x, fn);
  const { precision = null, unique = true, trim = "k", sign = false, minDigits = 0, expDigits = 2 } = requireOptions(options, fn, ["precision", "unique", "trim", "sign", "minDigits", ...extra]);
  requireChoice(trim, ["k", ".", "0", "-"], fn, "trim");
  if (precision !== null) requireInteger(precision, fn, "precision", 0);
  const value = Number(array.item());
  if (!Number.isFinite(value)) return formatScalar(value, "float64");
  return write(value, array.dtype === "float32", { precision, unique, trim, plus: sign, minDigits, exponentDigits: expDigits });
};
/** A float in positional notation, of its own dtype's shortest digits. @example np.formatFloatPositional(1e-3) // "0.001" */
export const formatFloatPositional = (x: ArrayLike, options?: FloatTextOptions): string => floatText(x, options, "formatFloatPositional", [], positional);
/** A float in scientific notation, of its own dtype's shortest digits. @example np.formatFloatScientific(1234.5) // "1.2345e+03" */
export const formatFloatScientific = (x: ArrayLike, options?: FloatTextOptions & { readonly expDigits?: number }): string => floatText(x, options, "formatFloatScientific", ["expDigits"], scientific);
