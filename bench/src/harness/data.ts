/** Deterministic inputs, the same numbers in every system: `peer.py` has the twin of this file. */
import type { Element } from "./case.js";

export type Numbers = Float32Array | Float64Array;

const allocate = (n: number, dtype: Element): Numbers => (dtype === "float32" ? new Float32Array(n) : new Float64Array(n));

/** Uniform numbers in [0, 1): the finaliser of MurmurHash3 applied to the index. */
export function uniform(n: number, seed: number, dtype: Element = "float32"): Numbers {
  const out = allocate(n, dtype);
  for (let i = 0; i < n; i++) {
    let h = (i + Math.imul(seed, 0x9e3779b1)) | 0;
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
    out[i] = (h >>> 0) / 4294967296;
  }
  return out;
}

/** Uniform numbers in [-scale/2, scale/2). */
export function centered(n: number, seed: number, dtype: Element = "float32", scale = 1): Numbers {
  const out = uniform(n, seed, dtype);
  for (let i = 0; i < n; i++) out[i] = (out[i]! - 0.5) * scale;
  return out;
}

const digestSize = 24;

/** Where an array of this size is sampled for comparison: `digestSize` places spread evenly, first and last among them. */
export function samplePositions(size: number): number[] {
  const count = Math.min(digestSize, size);
  return Array.from({ length: count }, (_, k) => (count === 1 ? 0 : Math.floor((k * (size - 1)) / (count - 1))));
}

/** The sampled elements of an array. */
export const digest = (values: ArrayLike<number>): number[] => samplePositions(values.length).map((i) => Number(values[i]));

/** The inner product of two vectors, in double precision. */
export function inner(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
