import { expect, it } from "vitest";
import { ulpSize } from "../../../kernel/functions/fixtures/ulp.js";
import { logisticRange, logistics, powers, tangents, tanhLimit } from "./tables.js";

it("holds tanh(i/32) up to where it is 1", () => {
  const wide = new Float64Array(tangents.float64.bytes().buffer);
  const short = new Float32Array(tangents.float32.bytes().buffer);
  expect(wide.length).toBe(32 * tanhLimit.float64 + 1);
  expect(short.length).toBe(32 * tanhLimit.float32 + 1);
  wide.forEach((t, i) => { expect(Math.abs(t - Math.tanh(i / 32))).toBeLessThanOrEqual(2 * ulpSize(t)); });
  short.forEach((t, i) => { expect(t).toBe(Math.fround(Math.tanh(i / 32))); });
  expect([wide[0], wide.at(-1), short[0], short.at(-1)]).toEqual([0, 1, 0, 1]);
});

it("holds powers of two that take up the fraction of their exponent", () => {
  const bits = new BigInt64Array(powers.bytes().buffer);
  for (const k of [-1022, -1, 0, 1023])
    bits.forEach((b, i) => {
      const sum = new Float64Array(BigInt64Array.of(b + (BigInt(256 * k + i) << 44n)).buffer)[0]!;
      expect(Math.abs(sum / 2 ** k - 2 ** (i / 256))).toBeLessThanOrEqual(2 ** -52);
    });
});

it("holds logistic(i/8) from where it is 0 to where it is 1", () => {
  const table = new Float32Array(logistics.bytes().buffer);
  const at = (x: number): number => table[8 * (x - logisticRange[0])]!;
  expect([at(logisticRange[0]), at(0), at(logisticRange[1])]).toEqual([0, 0.5, 1]);
  for (let x = logisticRange[0] + 0.125; x < 0; x += 0.125) expect(at(x)).toBe(Math.fround(Math.exp(x) / (1 + Math.exp(x))));
  expect(table.length).toBe(1024);
});
