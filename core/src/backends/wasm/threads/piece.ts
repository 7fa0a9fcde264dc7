import type { Affine, BufferId, Expr } from "../../../kernel/expr.js";
import { binary, constant, load, rewrite } from "../../../kernel/expr.js";
import type { KernelOutput } from "../../../kernel/schedule.js";

/** A buffer as pieces see it: piece i begins `i * step` elements further. The cell holds where a piece begins, an int32 of each thread. */
export interface View {
  readonly buffer: BufferId | "cell";
  readonly step: number;
}

/** Rewrites a kernel for one chunk of a dimension at a place that is known when it runs: addresses of buffers move, affine functions stay. */
export class PieceMaker {
  readonly views: View[] = [];
  private readonly known = new Map<string, number>();
  private readonly memo = new Map<Expr, Expr>();

  constructor(private readonly dim: number, private readonly chunk: number) {}

  view(buffer: BufferId | "cell", step: number): BufferId {
    const key = `${buffer}|${step}`;
    let id = this.known.get(key);
    if (id === undefined) this.known.set(key, (id = this.views.push({ buffer, step }) - 1));
    return id;
  }

  /** Index along the dimension at which the piece begins. */
  start(): Expr {
    return load("int32", this.view("cell", 0), { offset: 0, strides: [] });
  }

  private moved(buffer: BufferId, index: Affine): BufferId {
    return this.view(buffer, (index.strides[this.dim] ?? 0) * this.chunk);
  }

  expr(e: Expr): Expr {
    return rewrite(e, (x) => {
      switch (x.op) {
        case "load": return { ...x, buffer: this.moved(x.buffer, x.index), base: x.base && this.expr(x.base) };
        case "gather": return { ...x, buffer: this.view(x.buffer, 0), at: this.expr(x.at) };
        case "index": {
          const stride = x.index.strides[this.dim] ?? 0;
          return stride === 0 ? x : binary("add", x, stride === 1 ? this.start() : binary("mul", this.start(), constant("int32", stride)));
        }
        default: return undefined;
      }
    }, this.memo);
  }

  output(o: KernelOutput): KernelOutput {
    return { ...o, buffer: this.moved(o.buffer, o.index), base: o.base && this.expr(o.base), value: this.expr(o.value) };
  }
}
