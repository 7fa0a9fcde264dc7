/** A workload in a process of its own: prints the largest resident set in MB, and what else it measured, as JSON. */
import { jit, memory, type NDArray, np } from "@hessia/core";
import { hvp } from "@hessia/autodiff";

const [, , name, countText] = process.argv;
const count = Number(countText);
const megabytes = () => process.memoryUsage.rss() / 2 ** 20;
let peak = 0;
const watch = () => void (peak = Math.max(peak, megabytes()));
const start = megabytes();

const workloads: Record<string, () => Record<string, unknown>> = {
  /** One synchronous loop: nothing is collected by callbacks while it runs. */
  eager() {
    let x = np.linspace(0, 1, 10_000);
    for (let i = 0; i < count; i++) {
      x = i % 2 ? np.multiply(x, 0.5) : np.add(x, 1);
      if (i % 500 === 0) watch();
    }
    return { value: x.get(0).item() };
  },
  /** Results that are all read on the way, so that host copies exist too. */
  reads() {
    let x = np.linspace(0, 1, 10_000);
    let sum = 0;
    for (let i = 0; i < count; i++) {
      x = np.add(np.multiply(x, 0.5), 1);
      sum += x.data[17]!;
      if (i % 500 === 0) watch();
    }
    return { sum };
  },
  steps: () => steps(false),
  donated: () => steps(true),
  /** A product with the Hessian of a function of many parameters. */
  hvp() {
    const n = count;
    const f = (x: NDArray): NDArray => np.sum(np.add(np.multiply(100, np.square(np.subtract(x.get("1:"), np.square(x.get(":-1"))))), np.square(np.subtract(1, x.get(":-1")))));
    const x = np.linspace(-1, 1, n);
    let last = 0;
    for (let k = 0; k < 5; k++) {
      last = hvp(f, [x], [np.ones([n])])[1].get(3).item() as number;
      watch();
      jit((y: NDArray, v: NDArray) => hvp(f, [y], [v])[1])(x, np.ones([n]));
      watch();
    }
    return { value: last };
  },
  /** As many different shapes: compiled forms are forgotten again. */
  shapes() {
    const f = jit((x: NDArray) => np.sum(np.square(x)));
    const middle = Math.floor(count / 2);
    let half = 0;
    for (let n = 1; n <= count; n++) {
      f(np.ones([n]));
      np.negative(np.ones([n]));
      if (n === middle) half = megabytes();
      if (n % 50 === 0) watch();
    }
    return { size: f.cacheSize, growth: megabytes() - half };
  },
};

function steps(donate: boolean): Record<string, unknown> {
  const n = 10 * 2 ** 20 / 4;
  const f = jit((p: NDArray, g: NDArray) => np.subtract(p, np.multiply(1e-3, g)), donate ? { donateArgnums: 0 } : {});
  let p = np.zeros([n], { dtype: "float32" });
  const g = np.ones([n], { dtype: "float32" });
  for (let i = 0; i < count; i++) {
    p = f(p, g);
    if (i % 10 === 0) watch();
  }
  return { value: p.get(0).item(), live: memory().liveBytes / 2 ** 20 };
}

const result = workloads[name!]!();
watch();
console.log(JSON.stringify({ start, peak, ...result }));
