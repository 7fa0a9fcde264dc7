import type { FloatDType } from "./contract.js";
import type { Table } from "./graph.js";

// Table entries are computed as integers in units of 2^-120 and rounded once.
const places = 120n;
const one = 1n << places;
const toNumber = (x: bigint): number => Number(x) / 2 ** 120;

/** Multiples of 1/32 from which on tanh rounds to 1. */
export const tanhLimit = { float64: 19.0625, float32: 9.125 } as const;

/** tanh(i/32) for i = 0, 1, ... up to the limit, by the addition theorem. */
function* tanhOf32nds(limit: number): Generator<number> {
  const step = 0x7ff556664ac778a0c17f05ce08814n;
  let t = 0n;
  for (let i = 0; i <= 32 * limit; i++, t = ((t + step) << places) / (one + ((t * step) >> places))) yield toNumber(t);
}

export const tangents: Readonly<Record<FloatDType, Table>> = {
  float64: { key: "tanh(i/32) float64", width: 8, bytes: () => new Uint8Array(Float64Array.from(tanhOf32nds(tanhLimit.float64)).buffer) },
  float32: { key: "tanh(i/32) float32", width: 4, bytes: () => new Uint8Array(Float32Array.from(tanhOf32nds(tanhLimit.float32)).buffer) },
};

/** From where to where logistic is neither 0 nor 1 in float32. */
export const logisticRange = [-104, 17.5] as const;

/** logistic(i/8) from the lower end on, in float32; as many as ten bits can count, since NaN counts as anything. */
export const logistics: Table = {
  key: "logistic(i/8)",
  width: 4,
  bytes: () => new Uint8Array(Float32Array.from({ length: 1024 }, (_, i) => 1 / (1 + Math.exp(-logisticRange[0] - i / 8))).buffer),
};

/** The bits of 2^(i/256), less i 2^44: adding (256 k + i) 2^44 gives those of 2^(k + i/256). */
export const powers: Table = {
  key: "2^(i/256)",
  width: 8,
  bytes: () => {
    const step = 0x100b1afa5abcbed6129ab13ec11dc95n;
    const numbers = new Float64Array(256);
    const bits = new BigInt64Array(numbers.buffer);
    let p = one;
    for (let i = 0; i < 256; i++, p = (p * step) >> places) {
      numbers[i] = toNumber(p);
      bits[i]! -= BigInt(i) << 44n;
    }
    return new Uint8Array(numbers.buffer);
  },
};
