import type { DType } from "../../../base/dtype.js";
import type { BufferId } from "../../../kernel/expr.js";
import type { Matrices } from "../matrices.js";
import { elementType } from "./expression.js";
import { Bindings, indent, shader, type Shader } from "./shader.js";

/** Invocations along each side of a workgroup, and depth of a tile. */
const side = 16;
const depth = 16;
/** Batches in flight; a workgroup takes every so-manieth. */
const batchGroups = 1024;

/** Makes a constant buffer of these words. */
export type NewConstant = (data: Uint32Array) => BufferId;

/**
 * Tiled product: a workgroup of 16 by 16 makes a tile of C, each invocation a square of elements 16 apart, from tiles of A and B in workgroup
 * memory. Elements of a tile outside the matrices count as zeros, so no size is special. Sizes and strides are read from a buffer: one text,
 * and one compilation, serves all of them.
 */
export function matmulShaders(p: Matrices, dtypeOf: (b: BufferId) => DType, newConstant: NewConstant): Shader[] {
  const { a, b, c, batch, m, n, k } = p;
  if (batch * m * n === 0) return [];
  const type = elementType(dtypeOf(c.buffer));
  const each = Math.max(m, n) > 2 * side && m * n > 1024 ? 4 : 1;
  const tile = side * each;
  const squares = Array.from({ length: each }, (_, i) => i);
  const cells = squares.flatMap((i) => squares.map((j) => ({ i, j, name: `c${i}${j}` })));
  const bindings = new Bindings(dtypeOf);
  const sizes = bindings.read(newConstant(Uint32Array.of(batch, m, n, k, a.offset, a.batch, a.row, a.column, b.offset, b.batch, b.row, b.column, c.offset, c.batch, c.row, c.column)));
  const [left, right, out] = [bindings.read(a.buffer), bindings.read(b.buffer), bindings.write(c.buffer)];
  // Neighbouring lanes read neighbouring elements, whichever way the matrix is stored.
  const fill = (name: string, source: string, size: string, alongDepth: boolean, origin: string, [depthStride, edgeStride]: readonly [string, string]): string[] => {
    const [d, x] = alongDepth ? [`e % ${depth}u`, `e / ${depth}u`] : [`e / ${tile}u`, `e % ${tile}u`];
    return [
      `for (var e = lane; e < ${depth * tile}u; e = e + ${side * side}u) {`,
      `  let d = k0 + ${d};`,
      `  let x = ${origin} + ${x};`,
      `  var v = ${type}(0);`,
      `  if (d < k && x < ${size}) { v = ${source}[${name}_at + d * ${depthStride} + x * ${edgeStride}]; }`,
      `  ${name}[(${d}) * ${tile}u + ${x}] = v;`,
      "}",
    ];
  };
  const product = (c: string, x: string, y: string) => (type === "f32" ? `${c} = fma(${x}, ${y}, ${c});` : `${c} = ${c} + ${x} * ${y};`);
  const named = ["batch", "m", "n", "k", "a_offset", "a_batch", "a_row", "a_column", "b_offset", "b_batch", "b_row", "b_column", "c_offset", "c_batch", "c_row", "c_column"];
  const body = [
    ...named.map((name, i) => `let ${name} = ${sizes}[${i}];`),
    `let row = group.y * ${tile}u;`,
    `let column = group.x * ${tile}u;`,
    "for (var at_batch = group.z; at_batch < batch; at_batch = at_batch + groups.z) {",
    ...indent([
      "let tile_a_at = a_offset + at_batch * a_batch;",
      "let tile_b_at = b_offset + at_batch * b_batch;",
      ...cells.map(({ name }) => `var ${name} = ${type}(0);`),
      `for (var k0 = 0u; k0 < k; k0 = k0 + ${depth}u) {`,
      ...indent([
        ...fill("tile_a", left, "m", a.column <= a.row, "row", ["a_column", "a_row"]),
        ...fill("tile_b", right, "n", b.row < b.column, "column", ["b_row", "b_column"]),
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
        return `if (${r} < m && ${s} < n) { ${out}[c_offset + at_batch * c_batch + (${r}) * c_row + (${s}) * c_column] = ${name}; }`;
      }),
    ]),
    "}",
  ];
  return [shader({
    name: "matmul", bindings, workgroupSize: [side, side], workgroups: [Math.ceil(n / tile), Math.ceil(m / tile), Math.min(batch, batchGroups)],
    globals: [`var<workgroup> tile_a: array<${type}, ${depth * tile}>;`, `var<workgroup> tile_b: array<${type}, ${depth * tile}>;`], body,
  })];
}
