/**
 * Nanoseconds per call of the everyday path, best of many rounds, beside what plain JavaScript takes for the same arithmetic.
 *   npx tsx bench/micro.ts [filter]
 */
import { jit, np, type NDArray } from "@hessia/core";

const filter = process.argv[2] ?? "";

/** Best of `rounds` rounds of some milliseconds each: other work on the machine only ever makes a round slower. */
function nanosecondsPerCall(f: () => unknown, rounds = 25, milliseconds = 12): number {
  let calls = 1;
  const time = (n: number): number => {
    const start = performance.now();
    for (let i = 0; i < n; i++) f();
    return performance.now() - start;
  };
  for (let t = time(calls); t < milliseconds; t = time(calls)) calls = Math.ceil(calls * Math.min(10, Math.max(1.5, milliseconds / Math.max(t, 0.01))));
  let best = Infinity;
  for (let r = 0; r < rounds; r++) best = Math.min(best, time(calls));
  return (best * 1e6) / calls;
}

const scalar = np.array(1.5);
const ten = np.arange(10).astype("float64");
const thousand = np.ones([1000]);
const matrix = np.ones([3, 3]);
const plain = new Float64Array(10).fill(1.5);
const plainThousand = new Float64Array(1000).fill(1);

const plusOne = jit((x: NDArray) => np.add(x, 1));
const pair = jit((x: NDArray, y: NDArray) => np.add(x, y));
const tree = jit((p: { w: NDArray; b: NDArray }, x: NDArray) => ({ w: np.add(p.w, x), b: np.add(p.b, x) }));
const params = { w: ten, b: scalar };

const cases: Record<string, () => unknown> = {
  "plain: 10 numbers into a new Float64Array": () => plain.map((v) => v + 1),
  "plain: 1000 numbers into a new Float64Array": () => {
    const out = new Float64Array(1000);
    for (let i = 0; i < 1000; i++) out[i] = plainThousand[i]! + 1;
    return out;
  },
  "eager add(scalar, 1)": () => np.add(scalar, 1),
  "eager add(scalar, scalar)": () => np.add(scalar, scalar),
  "eager add(x[10], 1)": () => np.add(ten, 1),
  "eager add(x[10], x[10])": () => np.add(ten, ten),
  "eager x[10].mul(2)": () => ten.mul(2),
  "eager sin(x[10])": () => np.sin(ten),
  "eager sum(x[10])": () => np.sum(ten),
  "eager add(x[1000], 1)": () => np.add(thousand, 1),
  "eager matmul 3x3": () => np.matmul(matrix, matrix),
  "jit x+1, scalar": () => plusOne(scalar),
  "jit x+1, x[10]": () => plusOne(ten),
  "jit x+1, a JavaScript number": () => plusOne(1.5 as unknown as NDArray),
  "jit x+y, x[10]": () => pair(ten, ten),
  "jit of a pytree {w, b} and x": () => tree(params, scalar),
  "jit x+1, scalar, and item()": () => plusOne(scalar).item(),
};

for (const [name, f] of Object.entries(cases)) if (name.includes(filter)) console.log(`${nanosecondsPerCall(f).toFixed(0).padStart(8)} ns  ${name}`);
