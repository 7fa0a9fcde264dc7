import { sizeOf } from "../../../base/shape.js";
import type { DType } from "../../../base/dtype.js";
import type { BufferId } from "../../../kernel/expr.js";
import type { Kernel, KernelOutput } from "../../../kernel/schedule.js";
import { affine, Emitter, scalarType, stored } from "./expression.js";
import { combine, identityOf, partsOf, reading, type State, stateOf } from "./reduction.js";
import { Bindings, grid, indent, shader, type Shader } from "./shader.js";

export const lanes = 256;
/** Reductions longer than this over few outputs are split among workgroups, and the parts combined by a second dispatch. */
const splitAbove = 32768;
const chunkTarget = 8192;
/** Elements that one invocation adds up before it starts a new partial sum: bounds the rounding error of long float sums. */
const block = 64;

/** Makes a temporary of so many 32-bit words, live within one kernel. */
export type NewScratch = (words: number) => BufferId;

const loopNames = (dims: readonly number[], letter: string): (string | undefined)[] => dims.map((d, i) => (d === 1 ? undefined : `${letter}${i}`));

/** Statements that turn a linear index into the loop variables, the last one fastest. */
function unravel(linear: string, dims: readonly number[], names: readonly (string | undefined)[]): string[] {
  const lines: string[] = [];
  let rest = linear;
  const used = names.flatMap((name, d) => (name === undefined ? [] : [d])).reverse();
  used.forEach((d, k) => {
    if (k === used.length - 1) lines.push(`let ${names[d]} = i32(${rest});`);
    else {
      lines.push(`let ${names[d]} = i32(${rest} % ${dims[d]}u);`, `let ${names[d]}_ = ${rest} / ${dims[d]}u;`);
      rest = `${names[d]}_`;
    }
  });
  return lines;
}

function writes(outputs: readonly KernelOutput[], emitter: Emitter, bindings: Bindings): string[] {
  const stores = outputs.map((o) => {
    const value = emitter.value(o.value);
    const base = o.base === undefined ? "" : ` + ${emitter.value(o.base)}`;
    return `${bindings.write(o.buffer)}[${affine(o.index, emitter.scope.loops)}${base}] = ${stored(o.value.dtype, value)};`;
  });
  return [...emitter.lines, ...stores];
}

const linearGroup = "let at_group = group.y * groups.x + group.x;";

function elementwise(kernel: Kernel, dtypeOf: (b: BufferId) => DType): Shader {
  const bindings = new Bindings(dtypeOf);
  const loops = loopNames(kernel.dims, "i");
  const count = sizeOf(kernel.dims);
  const emitter = new Emitter({ buffer: bindings.read, loops });
  const body = [linearGroup, `let at = at_group * ${lanes}u + lane;`, `if (at >= ${count}u) { return; }`, ...unravel("at", kernel.dims, loops), ...writes(kernel.outputs, emitter, bindings)];
  return shader({ name: "kernel", bindings, workgroupSize: [lanes], workgroups: grid(Math.ceil(count / lanes)), body });
}

/** The loop over the reduced indices `start, start + step, ...` below `end`, folding into the states; long float sums go by blocks. */
function fold(kernel: Kernel, states: readonly State[], bindings: Bindings, start: string, end: string, step: number, turns: number): string[] {
  const outer = loopNames(kernel.dims, "i");
  const inner = loopNames(kernel.reduceDims, "r");
  const emitter = new Emitter({ buffer: bindings.read, loops: [...outer, ...inner] }, "v");
  const values = kernel.accumulators.map((a) => emitter.value(a.value));
  const beside = writes(kernel.stores ?? [], emitter, bindings);
  const blocked = turns > block ? states.filter((s) => s.op === "add" && s.dtype === "float32") : [];
  const folding = states.flatMap((s, k) => {
    const [value, position] = reading(s, values[k]!, "r");
    return blocked.includes(s) ? [`${s.name}_part = ${s.name}_part + ${value};`] : combine(s, value!, position);
  });
  const flush = blocked.map((s) => `${s.name} = ${s.name} + ${s.name}_part;`);
  return [
    ...states.flatMap((s) => partsOf(s).map(({ name, type }, i) => `var ${name}: ${type} = ${identityOf(s)[i]};`)),
    ...blocked.map((s) => `var ${s.name}_part = 0.0;`),
    ...(blocked.length ? ["var turn = 0u;"] : []),
    `for (var r: u32 = ${start}; r < ${end}; r = r + ${step}u) {`,
    ...indent([
      ...unravel("r", kernel.reduceDims, inner), ...beside, ...folding,
      ...(blocked.length ? ["turn = turn + 1u;", `if (turn == ${block}u) {`, ...indent([...flush, ...blocked.map((s) => `${s.name}_part = 0.0;`), "turn = 0u;"]), "}"] : []),
    ]),
    "}",
    ...flush,
  ];
}

/** Combines the states of all lanes of a workgroup into those of lane 0. */
function tree(states: readonly State[]): { globals: string[]; body: string[] } {
  const parts = states.flatMap(partsOf);
  return {
    globals: parts.map((p) => `var<workgroup> shared_${p.name}: array<${p.type}, ${lanes}>;`),
    body: [
      ...parts.map((p) => `shared_${p.name}[lane] = ${p.name};`),
      "workgroupBarrier();",
      `for (var width = ${lanes / 2}u; width > 0u; width = width >> 1u) {`,
      "  if (lane < width) {",
      ...indent(indent([
        ...states.flatMap((s) => { const [value, position] = partsOf(s); return combine(s, `shared_${value!.name}[lane + width]`, position && `shared_${position.name}[lane + width]`); }),
        ...parts.map((p) => `shared_${p.name}[lane] = ${p.name};`),
      ])),
      "  }",
      "  workgroupBarrier();",
      "}",
    ],
  };
}

function results(kernel: Kernel, states: readonly State[], bindings: Bindings): string[] {
  const accumulators = states.map((s) => `${s.name}_result`);
  const finals = states.map((s) => `let ${s.name}_result = ${s.arg ? `select(i32(${s.name}_at), 0, ${s.name}_at == 0xffffffffu)` : s.name};`);
  return [...finals, ...writes(kernel.outputs, new Emitter({ buffer: bindings.read, loops: loopNames(kernel.dims, "i"), accumulators }), bindings)];
}

/** One invocation an output: many outputs, or short reductions. */
function serial(kernel: Kernel, dtypeOf: (b: BufferId) => DType, count: number, length: number): Shader {
  const bindings = new Bindings(dtypeOf);
  const states = kernel.accumulators.map(stateOf);
  const body = [
    linearGroup, `let at = at_group * ${lanes}u + lane;`, `if (at >= ${count}u) { return; }`, ...unravel("at", kernel.dims, loopNames(kernel.dims, "i")),
    ...fold(kernel, states, bindings, "0u", `${length}u`, 1, length), ...results(kernel, states, bindings),
  ];
  return shader({ name: "reduce", bindings, workgroupSize: [lanes], workgroups: grid(Math.ceil(count / lanes)), body });
}

/** One workgroup an output. */
function grouped(kernel: Kernel, dtypeOf: (b: BufferId) => DType, count: number, length: number): Shader {
  const bindings = new Bindings(dtypeOf);
  const states = kernel.accumulators.map(stateOf);
  const { globals, body: combining } = tree(states);
  const body = [
    linearGroup, `if (at_group >= ${count}u) { return; }`, ...unravel("at_group", kernel.dims, loopNames(kernel.dims, "i")),
    ...fold(kernel, states, bindings, "lane", `${length}u`, lanes, Math.ceil(length / lanes)), ...combining,
    "if (lane == 0u) {", ...indent(results(kernel, states, bindings)), "}",
  ];
  return shader({ name: "reduce-group", bindings, globals, workgroupSize: [lanes], workgroups: grid(count), body });
}

/** Many workgroups an output, which leave their states in scratch memory; then one workgroup an output combines them. */
function twoStage(kernel: Kernel, dtypeOf: (b: BufferId) => DType, count: number, length: number, newScratch: NewScratch): Shader[] {
  const splits = Math.min(Math.ceil(length / chunkTarget), 1024);
  const chunk = Math.ceil(length / splits);
  const states = kernel.accumulators.map(stateOf);
  const parts = states.flatMap(partsOf);
  const scratch = newScratch(count * splits * parts.length);
  const withScratch = (b: BufferId): DType => (b === scratch ? "uint32" : dtypeOf(b));
  const word = (p: { name: string; type: string }) => (p.type === "u32" ? p.name : p.type === "bool" ? `select(0u, 1u, ${p.name})` : `bitcast<u32>(${p.name})`);
  const unword = (type: string, w: string) => (type === "u32" ? w : type === "bool" ? `${w} != 0u` : `bitcast<${type}>(${w})`);

  const first = new Bindings(withScratch);
  const combining = tree(states);
  const dims = unravel(`(at_group / ${splits}u)`, kernel.dims, loopNames(kernel.dims, "i"));
  const part = shader({
    name: "reduce-split", bindings: first, globals: combining.globals, workgroupSize: [lanes], workgroups: grid(count * splits),
    body: [
      linearGroup, `if (at_group >= ${count * splits}u) { return; }`, ...dims, `let chunk_at = (at_group % ${splits}u) * ${chunk}u;`,
      ...fold(kernel, states, first, "chunk_at + lane", `min(chunk_at + ${chunk}u, ${length}u)`, lanes, Math.ceil(chunk / lanes)), ...combining.body,
      "if (lane == 0u) {", ...indent(parts.map((p, i) => `${first.write(scratch)}[at_group * ${parts.length}u + ${i}u] = ${word(p)};`)), "}",
    ],
  });

  const second = new Bindings(withScratch);
  const name = second.read(scratch);
  const loop = [
    ...states.flatMap((s) => partsOf(s).map(({ name: n, type }, i) => `var ${n}: ${type} = ${identityOf(s)[i]};`)),
    `for (var s = lane; s < ${splits}u; s = s + ${lanes}u) {`,
    `  let w = (at_group * ${splits}u + s) * ${parts.length}u;`,
    ...indent(states.flatMap((s) => {
      const mine = partsOf(s);
      const words = mine.map((p) => unword(p.type, `${name}[w + ${parts.findIndex((q) => q.name === p.name)}u]`));
      return combine(s, `(${words[0]})`, words[1]);
    })),
    "}",
  ];
  const whole = shader({
    name: "reduce-join", bindings: second, globals: combining.globals, workgroupSize: [lanes], workgroups: grid(count),
    body: [
      linearGroup, `if (at_group >= ${count}u) { return; }`, ...unravel("at_group", kernel.dims, loopNames(kernel.dims, "i")), ...loop, ...combining.body,
      "if (lane == 0u) {", ...indent(results(kernel, states, second)), "}",
    ],
  });
  return [part, whole];
}

/** The dispatches of a kernel, in order. */
export function kernelShaders(kernel: Kernel, dtypeOf: (b: BufferId) => DType, newScratch: NewScratch): Shader[] {
  const count = sizeOf(kernel.dims);
  if (count === 0) return [];
  if (kernel.accumulators.length === 0) return [elementwise(kernel, dtypeOf)];
  for (const a of kernel.accumulators) scalarType(a.dtype);
  const length = sizeOf(kernel.reduceDims);
  if (length <= block || count >= 4096) return [serial(kernel, dtypeOf, count, length)];
  if (length > splitAbove && count <= 64) return twoStage(kernel, dtypeOf, count, length, newScratch);
  return [grouped(kernel, dtypeOf, count, length)];
}
