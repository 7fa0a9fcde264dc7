/** How the digits of a float are written: the vocabulary of NumPy's `format_float_positional` and `format_float_scientific`. */
export interface DigitOptions {
  /** Most fractional digits; null for as many as it takes. */
  readonly precision: number | null;
  /** The fewest digits that tell the number from its neighbours of the same dtype, rather than all `precision` digits. */
  readonly unique: boolean;
  readonly minDigits?: number;
  /** "k" keeps trailing zeros, "." keeps the point, "0" one zero after it, "-" nothing. */
  readonly trim: "k" | "." | "0" | "-";
  readonly plus?: boolean;
}

/** Exact decimal rounding, ties to even: JavaScript's own takes the larger of two equally near. */
function halfEven(rounded: string, exact: string): string {
  const [r, e] = [rounded.split("e")[0]!, exact.split("e")[0]!];
  const cut = r.includes(".") ? r.length : r.length + 1;
  const tie = rounded.split("e")[1] === exact.split("e")[1] && r !== e && /^50*$/.test(e.slice(cut)) && /[13579]$/.test(r);
  return tie ? r.slice(0, -1) + String(Number(r.at(-1)) - 1) + rounded.slice(r.length) : rounded;
}
const fixed = (x: number, digits: number): string => (x >= 1e21 ? BigInt(x).toString() + (digits > 0 ? "." + "0".repeat(digits) : "") : halfEven(x.toFixed(Math.min(digits, 100)), x.toFixed(100)));
const exponential = (x: number, digits: number): string => halfEven(x.toExponential(Math.min(digits, 100)), x.toExponential(100));

/** The shortest decimal digits that read back as the same float32: `[digits, exponent]` with the point behind the first digit. */
function shortest(x: number, single: boolean): [string, number] {
  let text = x.toExponential();
  if (single)
    for (let p = 0; p < 9; p++) {
      text = exponential(x, p);
      if (Math.fround(Number(text)) === x) break;
    }
  const [mantissa, exponent] = text.split("e") as [string, string];
  return [mantissa.replace(".", "").replace(/(?<=\d)0+$/, ""), Number(exponent)];
}

/** How many digits behind the point to write, given how many the shortest form has; undefined where that form is the one to write. */
function roundTo(short: number, { precision, unique, minDigits = 0 }: DigitOptions): number | undefined {
  if (!unique) return precision ?? short;
  if (precision !== null && short > precision) return precision;
  return short < minDigits ? minDigits : undefined;
}

function trimmed(whole: string, fraction: string, trim: DigitOptions["trim"]): string {
  if (trim === "k") return `${whole}.${fraction}`;
  const rest = fraction.replace(/0+$/, "");
  if (rest === "") return whole + (trim === "." ? "." : trim === "0" ? ".0" : "");
  return `${whole}.${rest}`;
}
const signOf = (x: number, plus: boolean | undefined): string => (x < 0 || Object.is(x, -0) ? "-" : plus ? "+" : "");

/** A finite float in positional notation. `single`: of float32. */
export function positional(x: number, single: boolean, options: DigitOptions): string {
  const a = Math.abs(x);
  const [digits, exponent] = a === 0 ? ["", -1] : shortest(a, single);
  const short = Math.max(0, digits.length - 1 - exponent);
  const round = roundTo(short, options);
  let whole: string;
  let fraction: string;
  if (round !== undefined && (round !== short || !options.unique)) [whole, fraction = ""] = fixed(a, round).split(".") as [string, string?];
  else if (exponent < 0) [whole, fraction] = ["0", "0".repeat(digits === "" ? 0 : -exponent - 1) + digits];
  else [whole, fraction] = [digits.slice(0, exponent + 1).padEnd(exponent + 1, "0"), digits.slice(exponent + 1)];
  return signOf(x, options.plus) + trimmed(whole, options.trim === "k" ? fraction.padEnd(options.precision ?? 0, "0") : fraction, options.trim);
}

/** A finite float in scientific notation, with at least `exponentDigits` digits in the exponent. */
export function scientific(x: number, single: boolean, options: DigitOptions & { readonly exponentDigits?: number }): string {
  const a = Math.abs(x);
  let [digits, exponent] = a === 0 ? ["0", 0] : shortest(a, single);
  const round = roundTo(digits.length - 1, options);
  if (round !== undefined) {
    const [mantissa, e] = exponential(a, round).split("e") as [string, string];
    [digits, exponent] = [mantissa.replace(".", ""), Number(e)];
  }
  const fraction = options.trim === "k" ? digits.slice(1).padEnd(options.precision ?? 0, "0") : digits.slice(1);
  const power = String(Math.abs(exponent)).padStart(options.exponentDigits ?? 2, "0");
  return `${signOf(x, options.plus)}${trimmed(digits[0]!, fraction, options.trim)}e${exponent < 0 ? "-" : "+"}${power}`;
}
