import type { DType } from "../base/dtype.js";
import { gcd } from "../base/gcd.js";
import { contiguousStrides, range, type Shape, sizeOf } from "../base/shape.js";
import type { Affine, Bound } from "../kernel/expr.js";
import { fromBuffer, type Lazy } from "../lower/lazy.js";
import type { Lowering } from "../lower/lowering.js";
import { interval } from "../lower/pins.js";

/**
 * Along one axis, positions p and window elements w with `p * stride + w * tap - low = i * dilation` for some element i of a spread
 * source: those that meet an element, and not one of the zeros between.
 */
export interface Meeting {
  readonly positions: number;
  readonly window: number;
  readonly stride: number;
  readonly tap: number;
  readonly low: number;
  readonly dilation: number;
}

/** An affine function of (turn, shift, tap). */
type Walk = readonly [origin: number, turn: number, shift: number, tap: number];

/**
 * Positions that meet equally many window elements, a whole rectangle `turns` by `shifts` of them. With the counters turn, shift and tap
 * below these sizes, `position`, `window` and `source` give p, w and i; p does not change with tap.
 */
export interface Phase {
  readonly turns: number;
  readonly shifts: number;
  readonly taps: number;
  readonly position: Walk;
  readonly window: Walk;
  readonly source: Walk;
}

/**
 * All positions, in few phases: which window elements meet the source depends on the position modulo `dilation / gcd(dilation, stride)`
 * (Dumoulin and Visin 2016, "A guide to convolution arithmetic", section 4.6), and residues side by side with equally many of
 * them, at places that move evenly, are one phase.
 */
export function phasesOf({ positions, window, stride, tap, low, dilation }: Meeting): Phase[] {
  const period = dilation / gcd(dilation, stride);
  const tapPeriod = dilation / gcd(dilation, tap);
  const modulo = (x: number): number => ((x % dilation) + dilation) % dilation;
  const firstTap = new Map(Array.from({ length: Math.min(tapPeriod, window) }, (_, w) => [modulo(w * tap), w] as const));
  const phases: Phase[] = [];
  for (let r = 0; r < Math.min(period, positions); r++) {
    const turns = Math.ceil((positions - r) / period);
    const w = firstTap.get(modulo(low - r * stride));
    const taps = w === undefined ? 0 : Math.ceil((window - w) / tapPeriod);
    const [at, i] = w === undefined ? [0, 0] : [w, (r * stride + w * tap - low) / dilation + 0]; // no negative zero
    const before = phases.at(-1);
    if (before?.turns === turns && before.taps === taps) {
      const n = before.shifts;
      const [dw, di] = n === 1 ? [at - before.window[0], i - before.source[0]] : [before.window[2], before.source[2]];
      if (taps === 0 || (at === before.window[0] + n * dw && i === before.source[0] + n * di)) {
        const moved = (walk: Walk, step: number): Walk => [walk[0], walk[1], step, walk[3]];
        phases[phases.length - 1] = { ...before, shifts: n + 1, position: moved(before.position, 1), window: moved(before.window, dw), source: moved(before.source, di) };
        continue;
      }
    }
    phases.push({ turns, shifts: 1, taps, position: [r, period, 0, 0], window: [at, 0, 0, tapPeriod], source: [i, (period * stride) / dilation, 0, (tapPeriod * tap) / dilation] });
  }
  return phases;
}

/** What a phase of each axis sums: the loops of the sum, and along each axis the index of the window element and that of the source, with what keeps the latter within it. */
interface Terms {
  readonly dims: Shape;
  readonly window: readonly Affine[];
  readonly source: readonly Affine[];
  readonly bounds: readonly Bound[];
}

/**
 * Sums over the window elements that meet a source of `sizes`: `[...lead, ...positions]`, from terms over the loops
 * `[...lead, turns and shifts of each axis, ...inner, taps of each axis]`, of which the inner ones are summed as well.
 */
export function sumMeetings(ctx: Lowering, dtype: DType, lead: Shape, inner: Shape, axes: readonly Meeting[], sizes: Shape, term: (terms: Terms) => Lazy): Lazy {
  const shape = [...lead, ...axes.map((a) => a.positions)];
  const outer = lead.length + 2 * axes.length;
  const first = outer + inner.length;
  const ndim = first + axes.length;
  const summed = range(ndim - outer, outer);
  const along = ([offset, ...steps]: Walk, d: number): Affine => {
    const strides = new Array<number>(ndim).fill(0);
    [lead.length + 2 * d, lead.length + 2 * d + 1, first + d].forEach((at, j) => (strides[at] = steps[j]!));
    return { offset, strides };
  };
  const sumOf = (phases: readonly Phase[]): Lazy => {
    const dims = [...lead, ...phases.flatMap((p) => [p.turns, p.shifts]), ...inner, ...phases.map((p) => p.taps)];
    const source = phases.map((p, d) => along(p.source, d));
    const bounds = source.flatMap((index, d): Bound[] => {
      const [least, most] = interval(index, dims);
      return least >= 0 && most < sizes[d]! ? [] : [{ index, lo: 0, hi: sizes[d]!, step: 1 }];
    });
    return { ...term({ dims, window: phases.map((p, d) => along(p.window, d)), source, bounds }), shape: dims };
  };
  const choices = axes.map(phasesOf).reduce<Phase[][]>((all, phases) => all.flatMap((c) => phases.map((p) => [...c, p])), [[]]);
  if (choices.length === 1) return fromBuffer(ctx.buffer(ctx.reduce(sumOf(choices[0]!), summed, "add", dtype)), shape, dtype);
  const out = ctx.newBuffer(dtype, sizeOf(shape));
  const places = contiguousStrides(shape);
  for (const phases of choices) {
    const at = phases.map((p, d) => ({ step: places[lead.length + d]!, position: p.position }));
    ctx.sumInto(sumOf(phases), summed, out, {
      offset: at.reduce((sum, { step, position }) => sum + step * position[0], 0),
      strides: [...places.slice(0, lead.length), ...at.flatMap(({ step, position }) => [step * position[1], step * position[2]])],
    });
  }
  return fromBuffer(out, shape, dtype);
}
