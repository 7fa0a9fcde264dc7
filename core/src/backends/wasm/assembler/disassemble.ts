import { ByteReader } from "./bytes.js";
import type { FunctionBuilder } from "./function-builder.js";
import { laneOps, memoryLaneOps, memoryOps, plainOps, structuralOps } from "./opcodes.js";

type Form = "plain" | "memory" | "memoryLane" | "lane" | "structural";

const byCode = new Map<number, { name: string; form: Form }>();
const add = (table: Readonly<Record<string, number>>, form: Form): void => Object.entries(table).forEach(([name, code]) => byCode.set(code, { name, form }));
add(plainOps, "plain");
add(memoryOps, "memory");
add(memoryLaneOps, "memoryLane");
add(laneOps, "lane");
add(structuralOps, "structural");

const blockTypes: Readonly<Record<number, string>> = { 0x7f: " i32", 0x7e: " i64", 0x7d: " f32", 0x7c: " f64", 0x7b: " v128" };

/** A function's body as text, read back from its bytes: what is shown is what runs. */
export function disassemble(f: FunctionBuilder, functionName: (index: number) => string): string {
  const r = new ByteReader(f.body.view());
  const lines: string[] = [];
  let indent = 1;
  const memarg = (): string => {
    r.unsigned();
    const offset = r.unsigned();
    return offset === 0 ? "" : ` offset=${offset}`;
  };
  const immediates = (name: string): string => {
    switch (name) {
      case "block": case "loop": case "if": return blockTypes[r.byte()] ?? "";
      case "br": case "br_if": return ` ${r.unsigned()}`;
      case "br_table": {
        const n = r.unsigned();
        return ` ${Array.from({ length: n + 1 }, () => r.unsigned()).join(" ")}`;
      }
      case "call": return ` $${functionName(r.unsigned())}`;
      case "local.get": case "local.set": case "local.tee": case "global.get": case "global.set": return ` ${r.unsigned()}`;
      case "i32.const": return ` ${r.signed()}`;
      case "i64.const": return ` ${r.signed64()}`;
      case "f32.const": return ` ${r.f32()}`;
      case "f64.const": return ` ${r.f64()}`;
      case "v128.const": {
        const bytes = r.take(16).slice();
        return ` i32x4 ${[...new Uint32Array(bytes.buffer)].map((x) => `0x${x.toString(16).padStart(8, "0")}`).join(" ")}`;
      }
      case "i8x16.shuffle": return ` ${[...r.take(16)].join(" ")}`;
      case "memory.copy": r.take(2); return "";
      case "memory.fill": case "memory.size": case "memory.grow": r.take(1); return "";
      default: return "";
    }
  };
  while (!r.done) {
    let code = r.byte();
    if (code === 0xfc || code === 0xfd) code = (code << 16) | r.unsigned();
    const op = byCode.get(code);
    if (!op) throw new Error(`${f.name}: unknown opcode 0x${code.toString(16)} at ${r.at}`);
    let text = op.name;
    if (op.form === "memory") text += memarg();
    else if (op.form === "memoryLane") text += `${memarg()} ${r.byte()}`;
    else if (op.form === "lane") text += ` ${r.byte()}`;
    else if (op.form === "structural") text += immediates(op.name);
    if (op.name === "end" || op.name === "else") indent--;
    lines.push("  ".repeat(Math.max(indent, 0)) + text);
    if (op.name === "block" || op.name === "loop" || op.name === "if" || op.name === "else") indent++;
  }
  const locals = f.locals.length > 0 ? `\n  (local ${f.locals.join(" ")})` : "";
  return `(func $${f.name} (${f.type.params.join(" ")}) -> (${f.type.results.join(" ")})${locals}\n${lines.join("\n")}\n)`;
}
