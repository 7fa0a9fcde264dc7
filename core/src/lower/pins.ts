import { gcd } from "../base/gcd.js";
import { range } from "../base/shape.js";
import type { Affine, Bound } from "../kernel/expr.js";

/** `sum strides[d] i_d = value`: what makes an index a function of others. */
export interface Pin {
  readonly strides: readonly number[];
  readonly value: number;
}

/** Least and greatest value of `offset + sum strides[d] i_d` for `0 <= i_d < sizes[d]`. */
export function interval(a: Affine, sizes: readonly number[]): [number, number] {
  let [min, max] = [a.offset, a.offset];
  a.strides.forEach((s, d) => {
    const reach = s * (sizes[d]! - 1);
    if (reach < 0) min += reach;
    else max += reach;
  });
  return [min, max];
}

export const pinBound = ({ strides, value }: Pin): Bound => ({ index: { offset: 0, strides }, lo: value, hi: value + 1, step: 1 });

/**
 * A pin as independent ones. In mixed radix (`8 i + j = 8 k + l` with j, l < 8) equality of numbers is equality of digits: the strides are
 * cut into large and small ones, where the small part cannot reach the next multiple of what divides the large part. Undefined if
 * nothing fulfils it.
 */
export function splitPin(pin: Pin, sizes: readonly number[]): Pin[] | undefined {
  const moving = range(sizes.length).filter((d) => (pin.strides[d] ?? 0) !== 0 && sizes[d] !== 1).sort((a, b) => Math.abs(pin.strides[b]!) - Math.abs(pin.strides[a]!));
  const of = (dims: readonly number[], by: number) => range(sizes.length).map((d) => (dims.includes(d) ? pin.strides[d]! / by : 0));
  if (moving.length === 0) return pin.value === 0 ? [] : undefined;
  const whole = moving.reduce((g, d) => gcd(g, pin.strides[d]!), 0);
  if (pin.value % whole !== 0) return undefined;
  const [least, greatest] = interval({ offset: 0, strides: of(moving, 1) }, sizes);
  if (pin.value < least || pin.value > greatest) return undefined;
  for (let cut = 1; cut < moving.length; cut++) {
    const [large, small] = [moving.slice(0, cut), moving.slice(cut)];
    const unit = large.reduce((g, d) => gcd(g, pin.strides[d]!), 0);
    const [min, max] = interval({ offset: 0, strides: of(small, 1) }, sizes);
    const [first, last] = [Math.ceil((pin.value - max) / unit) + 0, Math.floor((pin.value - min) / unit)];
    if (first > last) return undefined;
    if (first < last) continue;
    const [upper, lower] = [splitPin({ strides: of(large, unit), value: first }, sizes), splitPin({ strides: of(small, 1), value: pin.value - first * unit }, sizes)];
    return upper && lower && [...upper, ...lower];
  }
  const sign = Math.sign(of(moving, whole).find((s) => s !== 0)!);
  return [{ strides: of(moving, whole).map((s) => (s === 0 ? 0 : s * sign)), value: (pin.value / whole) * sign || 0 }];
}

/** The pins among a guard's bounds; "never" if they contradict the sizes. */
export function pinsOf(bounds: readonly Bound[], sizes: readonly number[]): Pin[] | "never" {
  const pins: Pin[] = [];
  for (const { index, lo, hi, step } of bounds) {
    // A range no longer than its step holds its first value alone.
    if (hi - lo > step) continue;
    const [min, max] = interval(index, sizes);
    if (min === max) continue;
    const split = splitPin({ strides: index.strides, value: lo - index.offset }, sizes);
    if (!split) return "never";
    pins.push(...split);
  }
  return pins;
}

/** The bounds that are neither always fulfilled nor never. */
export function openBounds(bounds: readonly Bound[], sizes: readonly number[]): readonly Bound[] | "never" {
  const open: Bound[] = [];
  for (const b of bounds) {
    const [min, max] = interval(b.index, sizes);
    if (max < b.lo || min >= b.hi) return "never";
    const onStep = b.step === 1 || sizes.every((n, d) => n === 1 || (b.index.strides[d] ?? 0) % b.step === 0);
    if (onStep && (b.index.offset - b.lo) % b.step !== 0) return "never";
    if (b.step === 1 && b.hi - b.lo === 1 && min !== max && !splitPin({ strides: b.index.strides, value: b.lo - b.index.offset }, sizes)) return "never";
    if (min < b.lo || max >= b.hi || !onStep) open.push(b);
  }
  return open.length === bounds.length ? bounds : open;
}
