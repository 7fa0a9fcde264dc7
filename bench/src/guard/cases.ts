/**
 * Small cases of what must not get slower, each beside a plain JavaScript loop that does the same in the same process: the ratio of the two
 * depends little on the machine and its load.
 */
import { jit, type NDArray, np } from "@hessia/core";
import { grad, hessian, valueAndGrad } from "@hessia/autodiff";
import { centered, uniform } from "../harness/data.js";
import { gradient } from "../tasks/rosenbrock.js";

export interface GuardCase {
  readonly name: string;
  /** Ours is what happens once in a process, and counts cold: fresh processes are measured, and the best of them counts. */
  readonly once?: true;
  prepare(): {
    plain(): void;
    ours(): void;
    /** The distance of ours from the plain answer, relative to its size. */
    check(): number;
  };
}

function distance(ours: ArrayLike<number>, plain: ArrayLike<number>): number {
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < plain.length; i++) {
    worst = Math.max(worst, Math.abs(ours[i]! - plain[i]!));
    scale = Math.max(scale, Math.abs(plain[i]!));
  }
  return ours.length === plain.length ? worst / scale : Infinity;
}

/** Both sides give their answer; timing drops it. */
const compare = (name: string, prepare: () => { plain: () => ArrayLike<number>; ours: () => NDArray }): GuardCase => ({
  name,
  prepare() {
    const { plain, ours } = prepare();
    return { plain: () => void plain(), ours: () => void ours(), check: () => distance(ours().data, plain()) };
  },
});

function plainMatmul(a: Float32Array | Float64Array, b: Float32Array | Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const v = a[i * n + k]!;
      for (let j = 0; j < n; j++) out[i * n + j]! += v * b[k * n + j]!;
    }
  return out;
}

const matmul = (dtype: "float32" | "float64", n: number): GuardCase =>
  compare(`matmul ${dtype} ${n}`, () => {
    const [a, b] = [centered(n * n, 1, dtype), centered(n * n, 2, dtype)];
    const [x, y] = [np.array(a).reshape([n, n]), np.array(b).reshape([n, n])];
    const f = jit((p: NDArray, q: NDArray) => np.matmul(p, q));
    return { plain: () => plainMatmul(a, b, n), ours: () => f(x, y) };
  });

const fused = (dtype: "float32" | "float64"): GuardCase =>
  compare(`fused ${dtype}`, () => {
    const n = 100_000;
    const data = uniform(n, 3, dtype);
    const x = np.array(data);
    const f = jit((v: NDArray) => np.sum(np.tanh(v).mul(np.exp(np.negative(v.mul(v)))).add(v.mul(0.5))));
    const plain = () => {
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const v = data[i]!;
        sum += Math.tanh(v) * Math.exp(-v * v) + 0.5 * v;
      }
      return [sum];
    };
    return { plain, ours: () => f(x) };
  });

const reduction = (axis: number | null): GuardCase =>
  compare(`sum ${axis === null ? "all" : `axis ${axis}`}`, () => {
    const [rows, columns] = [512, 512];
    const data = uniform(rows * columns, 4);
    const x = np.array(data).reshape([rows, columns]);
    const f = jit((v: NDArray) => np.sum(v, axis));
    const plain = () => {
      const out = new Float64Array(axis === 0 ? columns : rows);
      for (let i = 0; i < rows; i++) {
        if (axis === 0) for (let j = 0; j < columns; j++) out[j]! += data[i * columns + j]!;
        else {
          let sum = 0;
          for (let j = 0; j < columns; j++) sum += data[i * columns + j]!;
          out[i] = sum;
        }
      }
      return axis === null ? [out.reduce((a, b) => a + b)] : out;
    };
    return { plain, ours: () => f(x) };
  });

const argmax = compare("argmax axis 1", () => {
  const n = 512;
  const data = uniform(n * n, 4);
  const x = np.array(data).reshape([n, n]);
  const f = jit((v: NDArray) => np.argmax(v, 1));
  const plain = () => {
    const out = new Float64Array(n);
    for (let i = 0; i < n; i++) for (let j = 1; j < n; j++) if (data[i * n + j]! > data[i * n + out[i]!]!) out[i] = j;
    return out;
  };
  return { plain, ours: () => f(x) };
});

/** A small call beside the least that JavaScript can do for it: a new array of ten sums. */
const call = (mode: "jit" | "eager"): GuardCase =>
  compare(`call ${mode}`, () => {
    const data = uniform(10, 5, "float64");
    const x = np.array(data);
    const plus = (v: NDArray) => np.add(v, 1);
    const f = mode === "jit" ? jit(plus) : plus;
    return { plain: () => data.map((v) => v + 1), ours: () => f(x) };
  });

function rosenbrock(x: NDArray): NDArray {
  const [later, earlier] = [x.get("1:"), x.get(":-1")];
  return np.sum(np.square(later.sub(np.square(earlier))).mul(100).add(np.square(np.subtract(1, earlier))));
}

/** The Hessian of ten variables beside central differences of the gradient written by hand. */
const smallHessian = compare("Hessian n=10", () => {
  const n = 10;
  const point = uniform(n, 30, "float64") as Float64Array;
  const x = np.array(point);
  const f = jit(hessian(rosenbrock));
  const plain = () => {
    const out = new Float64Array(n * n);
    const step = 1e-5;
    for (let i = 0; i < n; i++) {
      const moved = point.slice();
      moved[i] = point[i]! + step;
      const above = gradient(moved);
      moved[i] = point[i]! - step;
      const below = gradient(moved);
      for (let j = 0; j < n; j++) out[i * n + j] = (above[j]! - below[j]!) / (2 * step);
    }
    return out;
  };
  return { plain, ours: () => f(x) };
});

const smallGradient = compare("gradient n=100", () => {
  const point = uniform(100, 30, "float64");
  const x = np.array(point);
  const f = jit(grad(rosenbrock));
  return { plain: () => gradient(point), ours: () => f(x) };
});

/** Tracing, differentiating and compiling a network's training step beside a fixed amount of plain work: by itself over and over, or once in a fresh process. */
const compilation = (once: boolean): GuardCase => ({
  name: once ? "first training step" : "compile a training step",
  ...(once && { once }),
  prepare() {
    const n = 128;
    const [a, b] = [centered(n * n, 1, "float64"), centered(n * n, 2, "float64")];
    const widths = [12, 10, 8, 4];
    const p = widths.slice(1).flatMap((m, i) => [np.array(centered(widths[i]! * m, i)).reshape([widths[i]!, m]), np.zeros([m], { dtype: "float32" })]);
    const x = np.array(centered(16 * 12, 9)).reshape([16, 12]);
    const loss = (q: readonly NDArray[], input: NDArray): NDArray => {
      let h = input;
      for (let i = 0; i < 3; i++) h = np.tanh(np.matmul(h, q[2 * i]!).add(q[2 * i + 1]!));
      return np.mean(np.square(h));
    };
    const train = () => {
      const step = jit((q: readonly NDArray[], input: NDArray) => {
        const [value, g] = valueAndGrad(loss)(q, input);
        return [value, q.map((w, i) => w.sub(g[i]!.mul(0.1)))] as const;
      });
      return step(p, x);
    };
    return {
      plain: () => void plainMatmul(a, b, n),
      ours: () => void train(),
      check: () => Math.abs(Number(train()[0].data[0]) - Number(loss(p, x).data[0])),
    };
  },
});

export const guardCases: readonly GuardCase[] = [
  matmul("float32", 64), matmul("float32", 256), matmul("float64", 256),
  fused("float32"), fused("float64"),
  reduction(null), reduction(0), reduction(1), argmax,
  call("jit"), call("eager"), smallGradient, smallHessian, compilation(false), compilation(true),
];
