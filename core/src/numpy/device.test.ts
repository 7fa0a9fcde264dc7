import { describe, expect, it } from "vitest";
import { defaultDevice, devices, np } from "@hessia/core";

describe("functions that make index arrays and constants keep to the array's device", () => {
  const other = devices().find((d) => d !== defaultDevice() && d !== "webgpu")!;
  const x = np.array([[1, 2, 3], [4, 5, 6]], { device: other });
  const i = np.array([1, 0], { dtype: "int32", device: other });
  const here = np.array([[1, 2, 3], [4, 5, 6]]);
  const list: [string, (a: typeof x) => typeof x][] = [
    ["get", (a) => a.get([1, 0], "::-1")],
    ["get two arrays", (a) => a.get([1, 0], [[1], [2]])],
    ["mask", (a) => a.get(a.gt(2))],
    ["at slices", (a) => a.at("::-1", "::2").set(9)],
    ["at list", (a) => a.at([0, 0], [1, 1]).add([1, 2])],
    ["at div", (a) => a.at(0).div(2)],
    ["at mask", (a) => a.at(a.gt(2)).set(0)],
    ["take", (a) => np.take(a, [0, -1], 1)],
    ["take filled", (a) => np.take(a, [0, 5], 1, { mode: "fill", fillValue: 7 })],
    ["takeAlongAxis", (a) => np.takeAlongAxis(a, np.argsort(a), 1)],
    ["put", (a) => np.put(a, [0, 1], [7, 8])],
    ["putAlongAxis", (a) => np.putAlongAxis(a, [[1], [0]], 9, 1)],
    ["pad ramp", (a) => np.pad(a, 1, "linear_ramp")],
    ["pad odd", (a) => np.pad(a, 1, "reflect", { reflectType: "odd" })],
    ["pad mean", (a) => np.pad(a, 1, "mean")],
    ["searchsorted", (a) => np.searchsorted(a.get(0), [1.5])],
    ["digitize", (a) => np.digitize(a, [2, 4])],
    ["isin", (a) => np.isin(a, [1, 2])],
    ["union1d", (a) => np.union1d(a, [9])],
    ["select", (a) => np.select([a.gt(2)], [a], 0)],
    ["roll", (a) => np.roll(a, 1)],
    ["nonzero", (a) => np.nonzero(a.gt(2), { size: 9 })[1]!],
    ["fillDiagonal", (a) => np.fillDiagonal(a, [7, 8])],
    ["insert", (a) => np.insert(a, 1, [8, 9], 1)],
    ["append", (a) => np.append(a, 3)],
    ["concatenate", (a) => np.concatenate([a, [[7, 8, 9]]])],
    ["topK", (a) => np.topK(a, 2)[1]],
    ["lexsort", (a) => np.lexsort(a)],
  ];
  it.each(list)("%s", (_name, f) => {
    const y = f(x);
    expect(y.device).toBe(other);
    expect(y.toArray()).toEqual(f(here).toArray());
  });
  it("index arrays on the device", () => expect(x.get(i).toArray()).toEqual([[4, 5, 6], [1, 2, 3]]));
});
