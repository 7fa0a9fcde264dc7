import { type Bar, bar, type Case, type Task } from "../harness/case.js";
import { uniform } from "../harness/data.js";

/** Dependent calls in one run of a "chain". */
export const chainLength = 1000;

const bars = (mode: string): Bar[] => (mode === "jit" ? [bar(4, "jax")] : [bar(4, "jax"), bar(1 / 1.5, "numpy-ts")]);

const cases = ["jit", "eager"].flatMap((mode) =>
  [0, 10].flatMap((n) =>
    ["chain", "read"].map((use): Case => ({
      name: `${mode} x+1, ${n === 0 ? "scalar" : "10-vector"}, ${use === "chain" ? `chain of ${chainLength}` : "each read"}`,
      params: { mode, n, use },
      expected: () => {
        const more = use === "chain" ? chainLength : 1;
        // A float32 chain rounds at every step.
        return { values: Array.from(uniform(Math.max(1, n), 5), (v) => v + more), tolerance: use === "chain" ? 1e-5 : 1e-7 };
      },
      bars: bars(mode),
      callsPerRun: use === "chain" ? chainLength : 1,
    })),
  ),
);

export const dispatch: Task = { name: "dispatch", title: "Cost of one small call: x + 1 in float32", cases };
