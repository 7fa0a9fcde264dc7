import { mapOperands } from "./expr.js";
import type { Affine, Expr } from "./expr.js";
import type { Kernel } from "./schedule.js";
import { mapExprs } from "./traverse.js";

const affineKey = (a: Affine): string => `${a.offset}:${a.strides.join(",")}`;

/** Makes equal subexpressions of a kernel one object, so that each is computed once. */
export function shareExpressions(kernel: Kernel): Kernel {
  const ids = new Map<Expr, number>();
  const byKey = new Map<string, Expr>();
  const id = (e: Expr): number => ids.get(e)!;
  const key = (e: Expr): string => {
    switch (e.op) {
      case "const": return `c${e.dtype}${Object.is(e.value, -0) ? "-0" : e.value}`;
      case "load": return `l${e.buffer}@${affineKey(e.index)}+${e.base ? id(e.base) : ""}`;
      case "gather": return `g${e.buffer}@${id(e.at)}`;
      case "index": return `i${affineKey(e.index)}`;
      case "unary": return `u${e.fn}${id(e.x)}`;
      case "binary": return `b${e.fn}${id(e.a)},${id(e.b)}`;
      case "select": return `s${id(e.condition)},${id(e.a)},${id(e.b)}`;
      case "guard": return `d${e.bounds.map((b) => `${affineKey(b.index)}[${b.lo},${b.hi},${b.step}`).join(";")}|${id(e.inside)},${id(e.outside)}`;
      case "cast": case "bitcast": return `${e.op}${e.dtype}${id(e.x)}`;
      case "accumulator": return `a${e.i}`;
    }
  };
  const memo = new Map<Expr, Expr>();
  const go = (e: Expr): Expr => {
    const done = memo.get(e);
    if (done) return done;
    const rebuilt = mapOperands(e, go);
    const k = key(rebuilt);
    let shared = byKey.get(k);
    if (shared === undefined) {
      shared = rebuilt;
      byKey.set(k, shared);
      ids.set(shared, ids.size);
    }
    memo.set(e, shared);
    return shared;
  };
  return mapExprs(kernel, go);
}
