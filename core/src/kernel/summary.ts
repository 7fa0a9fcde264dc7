import { sizeOf } from "../base/shape.js";
import { type Expr, visitExpr } from "./expr.js";
import type { Kernel, Schedule, Step } from "./schedule.js";
import { buffersRead, writesOf } from "./traverse.js";

/** Arithmetic on the elements of one kernel: functions of any kind count as one operation. */
function operationsOf(kernel: Kernel): number {
  const outer = sizeOf(kernel.dims);
  const all = outer * sizeOf(kernel.reduceDims);
  const seen = new Set<Expr>();
  const count = (e: Expr): number => {
    let n = 0;
    visitExpr(e, (x) => { if (x.op === "unary" || x.op === "binary" || x.op === "select") n++; }, seen);
    return n;
  };
  const inner = kernel.accumulators.reduce((n, a) => n + 1 + count(a.value), 0);
  return all * inner + outer * kernel.outputs.reduce((n, o) => n + count(o.value), 0);
}

const arraysRead = (kernel: Kernel): number => buffersRead([...kernel.accumulators, ...writesOf(kernel)].map((x) => x.value)).size;

const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;

/** A line for each step, bodies indented. */
export function stepSummaries({ buffers, steps }: Schedule): string[] {
  const lines = (list: readonly Step[], indent: string): string[] => list.flatMap((s) => {
    const inside = (body: readonly Step[]) => lines(body, `${indent}  `);
    switch (s.kind) {
      case "kernel": {
        const { dims, reduceDims, accumulators } = s.kernel;
        const over = `[${dims.join(", ")}]${accumulators.length ? ` reducing [${reduceDims.join(", ")}]` : ""}`;
        return [`${indent}kernel ${over}: reads ${plural(arraysRead(s.kernel), "array")}, writes ${writesOf(s.kernel).length}, ${plural(operationsOf(s.kernel), "operation")}`];
      }
      case "routine": return [`${indent}routine ${s.name}: ${[...s.inputs, ...s.outputs].map((o) => `[${o.shape.join(", ")}]`).join(" ")}`];
      case "copy": return [`${indent}copy of ${plural(s.count, "element")} of ${buffers[s.from]!.dtype}`];
      case "for": return [`${indent}for ${plural(s.count, "turn")}`, ...inside(s.body)];
      case "while": return [`${indent}while`, ...inside(s.condition), `${indent}do`, ...inside(s.body)];
      case "branch": return s.branches.flatMap((b, i) => [`${indent}branch ${i}`, ...inside(b)]);
    }
  });
  return lines(steps, "");
}
