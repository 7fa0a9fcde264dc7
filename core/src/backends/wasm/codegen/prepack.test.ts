import { expect, it } from "vitest";
import { cond, foriLoop, jit, type NDArray, np, scan, setDefaultDevice, setThreads, whileLoop } from "../../../index.js";

const numbers = (shape: readonly number[], dtype: "float32" | "float64" = "float64"): NDArray =>
  np.sin(np.square(np.arange(shape.reduce((x, n) => x * n, 1)).astype("float64")).mul(0.7)).reshape([...shape]).astype(dtype);
const shrunk = (x: NDArray): NDArray => np.tanh(x);

/** Loops around products with a matrix w of [n, n] that may be packed before them; s has [m, n]. */
const loops: Record<string, (s: NDArray, w: NDArray) => NDArray | readonly NDArray[]> = {
  "right factor": (s, w) => foriLoop(0, 6, (_, x) => shrunk(np.matmul(x, w)), s),
  "right factor transposed": (s, w) => foriLoop(0, 6, (_, x) => shrunk(np.matmul(x, w.T)), s),
  "left factor": (s, w) => foriLoop(0, 6, (_, x) => shrunk(np.matmul(w, x)), s.T),
  "left factor transposed": (s, w) => foriLoop(0, 6, (_, x) => shrunk(np.matmul(w.T, x)), s.T),
  "the same matrix twice, and each way": (s, w) => foriLoop(0, 5, (_, x) => shrunk(np.matmul(shrunk(np.matmul(shrunk(np.matmul(x, w)), w)), w.T)), s),
  "a part of a matrix": (s, w) => foriLoop(0, 5, (_, x) => x.mul(0.1).add(np.pad(np.matmul(x, w.get(":", "1:")), [[0, 0], [1, 0]]).mul(0.1)), s),
  "a matrix that the loop changes": (s, w) => foriLoop(0, 5, (_, [x, v]: readonly [NDArray, NDArray]) => [shrunk(np.matmul(x, v)), v.mul(0.9)] as const, [s, w] as const),
  "a matrix made before the loop": (s, w) => foriLoop(0, 5, (_, x) => shrunk(np.matmul(x, v(w))), s),
  "a loop in a loop, each with its matrix": (s, w) => foriLoop(0, 4, (i, x) => foriLoop(0, 4, (_, y) => shrunk(np.matmul(y, w)), shrunk(np.matmul(x, w.T)).add(i.mul(0.01))), s),
  "an inner matrix that the outer loop changes": (s, w) => foriLoop(0, 4, (_, [x, v]: readonly [NDArray, NDArray]) => [foriLoop(0, 5, (__, y) => shrunk(np.matmul(y, v)), x), shrunk(np.matmul(v, w))] as const, [s, w] as const),
  "a branch in a loop": (s, w) => foriLoop(0, 6, (i, x) => cond(np.sum(x).lt(0), (y: NDArray) => shrunk(np.matmul(y, w)), (y: NDArray) => shrunk(np.matmul(y, w.T)).add(1e-3), x.sub(i.mul(0.01))), s),
  "one loop after the other": (s, w) => foriLoop(0, 5, (_, x) => shrunk(np.matmul(x, w)), foriLoop(0, 5, (_, x) => shrunk(np.matmul(x, w.T)), s)),
  "a loop that ends by its values": (s, w) => whileLoop(([i, x]: readonly [NDArray, NDArray]) => np.logicalAnd(i.lt(9), np.sum(np.square(np.matmul(x, w))).gt(1e-9)), ([i, x]) => [i.add(1), shrunk(np.matmul(x, w))] as const, [np.array(0, { dtype: "int32" }), s] as const),
  "a loop that never runs": (s, w) => whileLoop((x: NDArray) => np.sum(np.matmul(x, w)).gt(1e9), (x) => np.matmul(x, w), s),
  "rows of a scan, backwards": (s, w) => scan((x: NDArray, r: NDArray) => { const y = shrunk(np.matmul(x, w).add(r)); return [y, np.max(y)] as const; }, s, numbers([7, s.shape[1]!]).astype(s.dtype), { reverse: true }),
};
const v = (w: NDArray): NDArray => w.add(np.matmul(w, w).mul(0.01));

type Numbers = readonly ArrayLike<number>[];

/** What a function of new arguments gives on a device. */
function results(device: "wasm" | "reference", f: (s: NDArray, w: NDArray) => NDArray | readonly NDArray[], args: () => [NDArray, NDArray], options = {}): Numbers {
  setDefaultDevice(device);
  try {
    const y = jit(f, options)(...args());
    return (Array.isArray(y) ? (y as NDArray[]) : [y as NDArray]).map((x) => x.data);
  } finally {
    setDefaultDevice("wasm");
  }
}

function expectClose(got: Numbers, want: Numbers, tolerance: number, what: string): void {
  expect(got.length).toBe(want.length);
  got.forEach((y, i) => {
    expect(y.length).toBe(want[i]!.length);
    for (let j = 0; j < y.length; j++) if (!(Math.abs(y[j]! - want[i]![j]!) <= tolerance)) throw new Error(`${what}: element ${j} of ${i} is ${y[j]}, expected ${want[i]![j]}`);
  });
}

const sizes = [[1, 47], [2, 64], [3, 33], [4, 97], [5, 48], [16, 65], [31, 128]] as const;
const argsOf = (m: number, n: number, dtype: "float32" | "float64") => (): [NDArray, NDArray] => [numbers([m, n], dtype), numbers([n, n], dtype).mul(np.array(1.25 / Math.sqrt(n), { dtype }))];
const toleranceOf = { float32: 1e-5, float64: 1e-13 };

it.each(Object.keys(loops))("%s", (name) => {
  for (const [m, n] of sizes) {
    const exact = results("reference", loops[name]!, argsOf(m, n, "float64"));
    for (const dtype of ["float32", "float64"] as const) expectClose(results("wasm", loops[name]!, argsOf(m, n, dtype)), exact, toleranceOf[dtype], `${dtype} ${m}x${n}`);
  }
});

it("two threads, which share the larger products, agree with one", () => {
  const all = (): Map<string, Numbers> => new Map(Object.keys(loops).flatMap((name) => [[16, 65], [40, 200]].map(([m, n]) => [`${name} ${m}x${n}`, results("wasm", loops[name]!, argsOf(m!, n!, "float64"))])));
  const alone = all();
  setThreads(2);
  try {
    for (const [what, shared] of all()) expectClose(shared, alone.get(what)!, toleranceOf.float64, what);
  } finally {
    setThreads(1);
  }
});

it("donated matrices whose memory a result takes", () => {
  const f = (s: NDArray, w: NDArray): readonly NDArray[] => foriLoop(0, 5, (_, [x, u]: readonly [NDArray, NDArray]) => [shrunk(np.matmul(x, w)), u.mul(0.5).add(0.25)] as const, [s, w] as const);
  const args = argsOf(9, 80, "float64");
  expectClose(results("wasm", f, args, { donateArgnums: [0, 1] }), results("reference", f, args), toleranceOf.float64, "donated");
});
