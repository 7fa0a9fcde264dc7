import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type NDArray, np, random } from "@hessia/core";

export interface Digits {
  /** [n, 64], pixels scaled to 0..1. */
  readonly images: NDArray;
  /** [n], int32. */
  readonly labels: NDArray;
}

/** Training and test part of the 1797 handwritten digits, shuffled by a fixed key. */
export function loadDigits(file: URL, testSize = 297): { train: Digits; test: Digits } {
  const rows = gunzipSync(readFileSync(file)).toString("utf8").trim().split(/\r?\n/).map((line) => line.split(",").map(Number)).filter((row) => row.length === 65 && row.every(Number.isFinite));
  const order = random.permutation(random.key(0), rows.length).toArray() as number[];
  const part = (indices: readonly number[]): Digits => ({
    images: np.array(indices.map((i) => rows[i]!.slice(0, 64).map((v) => v / 16))).astype("float32"),
    labels: np.array(indices.map((i) => rows[i]![64]!)).astype("int32"),
  });
  return { train: part(order.slice(testSize)), test: part(order.slice(0, testSize)) };
}
