import type { Affine, BufferId, Expr } from "../../kernel/expr.js";

/** An affine index as text; strides of zero at the end do not matter. */
export function affineKey({ offset, strides }: Affine): string {
  let n = strides.length;
  while (n > 0 && strides[n - 1] === 0) n--;
  return `${offset}:${strides.slice(0, n).join(",")}`;
}

/** A base as text: equal texts mean equal values, as long as nobody writes what they read. */
function baseKey(e: Expr): string {
  switch (e.op) {
    case "const": return `${e.dtype}${e.value}`;
    case "load": return placeKey(e.buffer, e.index, e.base);
    case "index": return affineKey(e.index);
    case "gather": return `${e.buffer}[${baseKey(e.at)}]`;
    case "unary": return `${e.fn}(${baseKey(e.x)})`;
    case "cast": case "bitcast": return `${e.op} ${e.dtype}(${baseKey(e.x)})`;
    case "binary": return `${e.fn}(${baseKey(e.a)},${baseKey(e.b)})`;
    case "select": return `?(${baseKey(e.condition)},${baseKey(e.a)},${baseKey(e.b)})`;
    case "guard": return `!${e.bounds.map((b) => `${affineKey(b.index)}/${b.lo}/${b.hi}/${b.step}`).join("&")}(${baseKey(e.inside)},${baseKey(e.outside)})`;
    case "accumulator": return `a${e.i}`;
  }
}

/** Which element of which buffer an access touches at each index, as text. */
export const placeKey = (buffer: BufferId, index: Affine, base: Expr | undefined): string => `b${buffer}@${affineKey(index)}${base ? `+${baseKey(base)}` : ""}`;
