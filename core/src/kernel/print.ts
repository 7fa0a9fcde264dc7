import { type Affine, type Expr, operands, visitExpr } from "./expr.js";
import type { Kernel, KernelOutput, Operand, Schedule, Step } from "./schedule.js";

const symbols: Readonly<Record<string, string>> = { add: "+", sub: "-", mul: "*", div: "/", eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" };
const loopNames = ["i", "j", "k", "l", "m", "n"];
const loopName = (d: number): string => loopNames[d] ?? `i${d}`;
const bufferName = (id: number): string => `b${id}`;

function affineText({ offset, strides }: Affine): string {
  const terms = strides.flatMap((s, d) => (s === 0 ? [] : [s === 1 ? loopName(d) : `${s}*${loopName(d)}`]));
  if (offset !== 0 || terms.length === 0) terms.push(String(offset));
  return terms.join(" + ").replaceAll("+ -", "- ");
}
const placeText = (index: Affine, base: string | undefined): string => (base === undefined ? affineText(index) : index.offset === 0 && index.strides.every((s) => s === 0) ? base : `${base} + ${affineText(index)}`);

/** Writes expressions; those used more than once get a name first. */
class Writer {
  readonly #names = new Map<Expr, string>();
  readonly lines: string[] = [];

  /** Names what the expressions share, in order of need. */
  share(roots: readonly Expr[]): void {
    const uses = new Map<Expr, number>();
    for (const e of roots) uses.set(e, (uses.get(e) ?? 0) + 1);
    const seen = new Set<Expr>();
    const order: Expr[] = [];
    for (const root of roots)
      visitExpr(root, (e) => {
        order.push(e);
        for (const x of operands(e)) uses.set(x, (uses.get(x) ?? 0) + 1);
      }, seen);
    for (const e of order) {
      if ((uses.get(e) ?? 0) < 2 || e.op === "const" || e.op === "index" || e.op === "accumulator" || (e.op === "load" && !e.base)) continue;
      const text = this.text(e, false);
      const name = `t${this.#names.size}`;
      this.#names.set(e, name);
      this.lines.push(`${name} = ${text}`);
    }
  }

  /** `nested`: an operator's operand, which takes parentheses if it is an operation of two itself. */
  text(e: Expr, nested: boolean): string {
    const name = this.#names.get(e);
    if (name !== undefined) return name;
    const inner = (x: Expr) => this.text(x, false);
    switch (e.op) {
      case "const": return e.dtype === "bool" ? String(e.value !== 0) : String(e.value);
      case "load": return `${bufferName(e.buffer)}[${placeText(e.index, e.base && inner(e.base))}]`;
      case "gather": return `${bufferName(e.buffer)}[${inner(e.at)}]`;
      case "index": return affineText(e.index);
      case "accumulator": return `a${e.i}`;
      case "unary": return `${e.fn}(${inner(e.x)})`;
      case "cast": return `${e.dtype}(${inner(e.x)})`;
      case "bitcast": return `bits ${e.dtype}(${inner(e.x)})`;
      case "select": return `select(${inner(e.condition)}, ${inner(e.a)}, ${inner(e.b)})`;
      case "guard": {
        const bounds = e.bounds.map((b) => `${b.lo} <= ${affineText(b.index)} < ${b.hi}${b.step === 1 ? "" : ` step ${b.step}`}`);
        return `inside(${bounds.join(" and ")}, ${inner(e.inside)}, ${inner(e.outside)})`;
      }
      case "binary": {
        const symbol = symbols[e.fn];
        if (symbol === undefined) return `${e.fn}(${inner(e.a)}, ${inner(e.b)})`;
        const text = `${this.text(e.a, true)} ${symbol} ${this.text(e.b, true)}`;
        return nested ? `(${text})` : text;
      }
    }
  }
}

function kernelLines(kernel: Kernel): string[] {
  const { dims, reduceDims, accumulators, outputs, stores = [] } = kernel;
  const loops = (sizes: readonly number[], from: number): string => sizes.map((n, d) => `${loopName(from + d)}<${n}`).join(" ");
  const head = ["kernel", ...(dims.length ? [loops(dims, 0)] : []), ...(reduceDims.length ? [`reduce ${loops(reduceDims, dims.length)}`] : [])].join(" ");
  const inside = new Writer();
  const rootsOf = (list: readonly KernelOutput[]) => list.flatMap((o) => (o.base ? [o.base, o.value] : [o.value]));
  const write = (o: KernelOutput, writer: Writer) => `${bufferName(o.buffer)}[${placeText(o.index, o.base && writer.text(o.base, false))}] = ${writer.text(o.value, false)}`;
  inside.share([...rootsOf(stores), ...accumulators.map((a) => a.value)]);
  const beside = stores.map((o) => write(o, inside));
  const sums = accumulators.map((a, i) => `a${i} = ${a.op} ${inside.text(a.value, false)}`);
  const after = new Writer();
  after.share(rootsOf(outputs));
  const writes = outputs.map((o) => write(o, after));
  return [head, ...[...inside.lines, ...beside, ...sums, ...after.lines, ...writes].map((l) => `  ${l}`)];
}

const operandText = (o: Operand): string => `${bufferName(o.buffer)}:${o.dtype}[${o.shape.join(",")}]`;

function stepLines(step: Step): string[] {
  const block = (steps: readonly Step[]): string[] => steps.flatMap(stepLines).map((l) => `  ${l}`);
  switch (step.kind) {
    case "kernel": return kernelLines(step.kernel);
    case "routine": {
      const params = JSON.stringify(step.params, (_, v: unknown) => (typeof v === "function" ? "<fn>" : v));
      return [`routine ${step.name}${params === "{}" ? "" : ` ${params}`} (${step.inputs.map(operandText).join(", ")}) -> (${step.outputs.map(operandText).join(", ")})`];
    }
    case "copy": {
      const at = (base: Expr | undefined) => (base ? `[${new Writer().text(base, false)}]` : "");
      return [`copy ${step.count} of ${bufferName(step.from)}${at(step.fromBase)} to ${bufferName(step.to)}${at(step.toBase)}`];
    }
    case "for": return [`for ${bufferName(step.counter)} in ${step.reverse ? `${step.count - 1}..0` : `0..${step.count - 1}`}`, ...block(step.body)];
    case "while": return ["while", ...block(step.condition), `  ${bufferName(step.predicate)}`, "do", ...block(step.body)];
    case "branch": return [`branch ${bufferName(step.index)}`, ...step.branches.flatMap((b, i) => [`  case ${i}`, ...block(b).map((l) => `  ${l}`)])];
  }
}

/**
 * A Schedule as text to read: buffers are `b0`, `b1`, ..., loop indices `i j k ...`, accumulators `a0`, values used more than once `t0`.
 *
 *     (b0:float64[3], b1:float64[3]) -> (b2:float64[1])
 *     kernel reduce i<3
 *       a0 = add b0[i] * b1[i]
 *       b2[0] = a0
 *
 * @example console.log(printSchedule(explain(jit(f), x).schedule));
 */
export function printSchedule(schedule: Schedule): string {
  const declared = (id: number): string => `${bufferName(id)}:${schedule.buffers[id]!.dtype}[${schedule.buffers[id]!.size}]`;
  const constants = schedule.constants.map((c) => `constant ${declared(c.buffer)}`);
  const arena = [...schedule.arena.offsets].map(([id, offset]) => `${declared(id)} at ${offset}`);
  return [
    `(${schedule.inputs.map(declared).join(", ")}) -> (${schedule.outputs.map(declared).join(", ")})`,
    ...constants,
    ...(schedule.donations?.length ? [`given: ${schedule.donations.map((d) => `${bufferName(d.input)} to ${bufferName(d.output)}`).join(", ")}`] : []),
    ...(arena.length ? [`arena of ${schedule.arena.bytes} bytes: ${arena.join(", ")}`] : []),
    ...schedule.steps.flatMap(stepLines),
  ].join("\n");
}
