import type { DType } from "../../../base/dtype.js";
import type { BufferId } from "../../../kernel/expr.js";
import type { Operand } from "../../../kernel/schedule.js";
import { unsupported } from "../unsupported.js";
import { elementType } from "./expression.js";
import { Bindings, indent, shader, type Shader } from "./shader.js";
import type { MatmulParams } from "../../../kernel/matmul.js";

/** Invocations along each side of a workgroup, and depth of a tile. */
const side = 16;
const depth = 16;
/** Batches in flight; a workgroup takes every so-manieth. */
const batchGroups = 1024;

/** Makes a constant buffer of these words. */
export type NewConstant = (data: Uint32Array) => BufferId;

/**
 * Tiled product: a workgroup of 16 by 16 makes a tile of C, each invocation a square of elements 16 apart, from tiles of A and B in workgroup
 * memory. Elements of a tile outside the matrices count as zeros, so no size is special. The sizes are read from a buffer: one text, and one
 * compilation, serves all of them.
 */
export function matmulShaders(p: MatmulParams, inputs: readonly Operand[], outputs: readonly Operand[], dtypeOf: (b: BufferId) => DType, newConstant: NewConstant): Shader[] {
  const [a, b, c] = [inputs[0]!, inputs[1]!, outputs[0]!];
  const { batch, m, n, k } = p;
  if (batch * m * n === 0) return [];
  if (c.dtype === "bool") throw unsupported("matmul", "matmul of bool");
  const type = elementType(c.dtype);
  const each = Math.max(m, n) > 2 * side && m * n > 1024 ? 4 : 1;
  const tile = side * each;
  const squares = Array.from({ length: each }, (_, i) => i);
  const cells = squares.flatMap((i) => squares.map((j) => ({ i, j, name: `c${i}${j}` })));
  const bindings = new Bindings(dtypeOf);
  const sizes = bindings.read(newConstant(Uint32Array.of(batch, m, n, k)));
  const [left, right, out] = [bindings.read(a.buffer), bindings.read(b.buffer), bindings.write(c.buffer)];
  // Neighbouring lanes read neighbouring elements, whichever way the matrix is stored.
  const fill = (name: string, source: string, size: string, inner: "depth" | "edge", origin: string): string[] => {
    const [d, x] = inner === "depth" ? [`e % ${depth}u`, `e / ${depth}u`] : [`e / ${tile}u`, `e % ${tile}u`];
    const offset = inner === "depth" ? `(at_batch * ${size} + x) * k + d` : `(at_batch * k + d) * ${size} + x`;
    return [
      `for (var e = lane; e < ${depth * tile}u; e = e + ${side * side}u) {`,
      `  let d = k0 + ${d};`,
      `  let x = ${origin} + ${x};`,
      `  var v = ${type}(0);`,
      `  if (d < k && x < ${size}) { v = ${source}[${offset}]; }`,
      `  ${name}[(${d}) * ${tile}u + ${x}] = v;`,
      "}",
    ];
  };
  const product = (c: string, x: string, y: string) => (type === "f32" ? `${c} = fma(${x}, ${y}, ${c});` : `${c} = ${c} + ${x} * ${y};`);
  const body = [
    `let batch = ${sizes}[0];`,
    `let m = ${sizes}[1];`,
    `let n = ${sizes}[2];`,
    `let k = ${sizes}[3];`,
    `let row = group.y * ${tile}u;`,
    `let column = group.x * ${tile}u;`,
    "for (var at_batch = group.z; at_batch < batch; at_batch = at_batch + groups.z) {",
    ...indent([
      ...cells.map(({ name }) => `var ${name} = ${type}(0);`),
      `for (var k0 = 0u; k0 < k; k0 = k0 + ${depth}u) {`,
      ...indent([
        ...fill("tile_a", left, "m", p.transposeA ? "edge" : "depth", "row"),
        ...fill("tile_b", right, "n", p.transposeB ? "depth" : "edge", "column"),
        "workgroupBarrier();",
        `for (var d = 0u; d < ${depth}u; d++) {`,
        ...indent([
          ...squares.map((i) => `let x${i} = tile_a[d * ${tile}u + local.y + ${i * side}u];`),
          ...squares.map((j) => `let y${j} = tile_b[d * ${tile}u + local.x + ${j * side}u];`),
          ...cells.map(({ i, j, name }) => product(name, `x${i}`, `y${j}`)),
        ]),
        "}",
        "workgroupBarrier();",
      ]),
      "}",
      ...cells.map(({ i, j, name }) => {
        const [r, s] = [`row + local.y + ${i * side}u`, `column + local.x + ${j * side}u`];
        return `if (${r} < m && ${s} < n) { ${out}[(at_batch * m + ${r}) * n + ${s}] = ${name}; }`;
      }),
    ]),
    "}",
  ];
  return [shader({
    name: "matmul", bindings, workgroupSize: [side, side], workgroups: [Math.ceil(n / tile), Math.ceil(m / tile), Math.min(batch, batchGroups)],
    globals: [`var<workgroup> tile_a: array<${type}, ${depth * tile}>;`, `var<workgroup> tile_b: array<${type}, ${depth * tile}>;`], body,
  })];
}
