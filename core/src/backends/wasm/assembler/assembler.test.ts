import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter } from "./bytes.js";
import { ModuleBuilder } from "./index.js";
import { laneOps, memoryLaneOps, memoryOps, plainOps } from "./opcodes.js";
import type { LaneOp, MemoryLaneOp, MemoryOp, PlainOp } from "./opcodes.js";

type Exports = Record<string, (...args: number[]) => number>;

function instantiate(m: ModuleBuilder, imports: WebAssembly.Imports = {}): Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(m.finish()), imports).exports as Exports;
}

describe("LEB128", () => {
  it("reads back what it wrote", () => {
    const values = [0, 1, -1, 63, 64, -64, -65, 127, 128, 300, -300, 2 ** 31 - 1, -(2 ** 31)];
    const w = new ByteWriter();
    for (const v of values) w.signed(v).unsigned(v).signed64(BigInt(v) * 3n ** 15n).padded(v);
    const r = new ByteReader(w.view());
    for (const v of values) {
      expect(r.signed()).toBe(v);
      expect(r.unsigned()).toBe(v >>> 0);
      expect(r.signed64()).toBe(BigInt(v) * 3n ** 15n);
      expect(r.unsigned()).toBe(v >>> 0);
    }
  });
});

describe("functions", () => {
  it("loops, branches, calls imports and each other, whatever the order of definition", () => {
    const m = new ModuleBuilder();
    const square = m.function("square", ["f64"], ["f64"]);
    square.get(0).get(0).op("f64.mul");
    // sum of host(i)^2 for i < n
    const f = m.function("sum", ["i32"], ["f64"]);
    const host = m.importFunction("env", "host", { params: ["f64"], results: ["f64"] });
    const i = f.local("i32");
    const acc = f.local("f64");
    f.block((done) => f.loop((again) => {
      f.get(i).get(0).op("i32.ge_s").brIf(done);
      f.get(acc).get(i).op("f64.convert_i32_s").call(host).call(square).op("f64.add").set(acc);
      f.get(i).i32(1).op("i32.add").set(i).br(again);
    }));
    f.get(acc);
    m.export("sum", f);
    const { sum } = instantiate(m, { env: { host: (x: number) => x + 1 } });
    expect(sum!(4)).toBe(1 + 4 + 9 + 16);
  });

  it("tables of branches and memory", () => {
    const m = new ModuleBuilder().importMemory("env", "memory", 1, 65536);
    const f = m.function("f", ["i32"], ["i32"]);
    const r = f.local("i32");
    f.block((out) => {
      f.block((b1) => {
        f.block((b0) => { f.get(0).brTable([b0, b1], out); });
        f.i32(10).set(r).br(out);
      });
      f.i32(20).set(r);
    });
    f.i32(0).get(r).memory("i32.store", 16).get(r);
    m.export("f", f);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
    const e = instantiate(m, { env: { memory } });
    expect([e.f!(0), e.f!(1), e.f!(2), e.f!(-1)]).toEqual([10, 20, 0, 0]);
    expect(new Int32Array(memory.buffer)[4]).toBe(0);
  });

  it("SIMD constants, lanes and shuffles", () => {
    const m = new ModuleBuilder();
    const f = m.function("f", ["f64"], ["f64"]);
    f.get(0).op("f64x2.splat").f64x2(2, 3).op("f64x2.mul");
    const v = f.local("v128");
    f.tee(v).get(v).shuffle64(1, 2).get(v).op("f64x2.sub").lane("f64x2.extract_lane", 0);
    m.export("f", f);
    expect(instantiate(m).f!(5)).toBe(5);
  });

  it("reuses released locals", () => {
    const f = new ModuleBuilder().function("f", ["i32"]);
    const a = f.local("f64");
    f.release(a);
    expect(f.local("f32")).not.toBe(a);
    expect(f.local("f64")).toBe(a);
  });

  it("refuses a call of a function from elsewhere", () => {
    const m = new ModuleBuilder();
    m.function("f", []).call(new ModuleBuilder().function("g", []));
    expect(() => m.finish()).toThrow(/g, which is not in the module/);
  });
});

describe("opcodes", () => {
  // Which operand types an instruction takes is known from its name; a module with each one validates only if name and code agree.
  const shapes = ["i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2"];
  const operandTypes = (name: PlainOp): ("i32" | "i64" | "f32" | "f64" | "v128")[] => {
    const [t, op] = name.split(".") as [string, string];
    const v = shapes.includes(t) || t === "v128";
    if (!v) {
      const from = /_(i32|i64|f32|f64)(_|$)/.exec(op)?.[1] as "i32" | undefined;
      if (from) return [from];
      const one = ["eqz", "clz", "ctz", "popcnt", "abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt", "extend8_s", "extend16_s", "extend32_s"];
      return one.includes(op) ? [t as "i32"] : [t as "i32", t as "i32"];
    }
    if (op === "splat") return [t.startsWith("i64") ? "i64" : t.startsWith("f64") ? "f64" : t.startsWith("f32") ? "f32" : "i32"];
    if (op.startsWith("sh")) return ["v128", "i32"];
    if (op === "bitselect" || op.includes("madd") || op.includes("laneselect")) return ["v128", "v128", "v128"];
    if (/^(not|any_true|all_true|bitmask|abs|neg|popcnt|ceil|floor|trunc|nearest|sqrt|extend|promote|demote|convert|trunc_sat|relaxed_trunc)/.test(op)) return ["v128"];
    return ["v128", "v128"];
  };
  it("all validate with the operands their names say", () => {
    const wrong: string[] = [];
    const check = (name: string, write: (f: ReturnType<ModuleBuilder["function"]>) => void): void => {
      const m = new ModuleBuilder().importMemory("e", "m", 1, 2);
      const f = m.function("f", []);
      write(f);
      f.op("drop");
      try { new WebAssembly.Module(m.finish()); } catch (e) { wrong.push(`${name}: ${String(e)}`); }
    };
    const constant = (f: ReturnType<ModuleBuilder["function"]>, t: string): void => {
      if (t === "i32") f.i32(1); else if (t === "i64") f.i64(1n); else if (t === "f32") f.f32(1); else if (t === "f64") f.f64(1); else f.i32x4(1);
    };
    const relaxed = WebAssembly.validate((() => { const m = new ModuleBuilder(); m.function("f", []).f32x4(1).f32x4(1).f32x4(1).op("f32x4.relaxed_madd").op("drop"); return m.finish(); })());
    for (const name of Object.keys(plainOps) as PlainOp[]) {
      if (!name.includes(".") || (name.includes("relaxed") && !relaxed)) continue;
      check(name, (f) => { operandTypes(name).forEach((t) => constant(f, t)); f.op(name); });
    }
    for (const name of Object.keys(memoryOps) as MemoryOp[]) {
      const t = name.split(".")[0]!;
      check(name, (f) => { f.i32(0); if (name.includes("store")) { constant(f, t); f.memory(name, 8).i32(0); } else f.memory(name, 300); });
    }
    for (const name of Object.keys(memoryLaneOps) as MemoryLaneOp[])
      check(name, (f) => { f.i32(0).i32x4(0).memoryLane(name, 1, 4); if (name.includes("store")) f.i32(0); });
    for (const name of Object.keys(laneOps) as LaneOp[]) {
      const t = name.startsWith("i64") ? "i64" : name.startsWith("f64") ? "f64" : name.startsWith("f32") ? "f32" : "i32";
      check(name, (f) => { f.i32x4(0); if (name.includes("replace")) constant(f, t); f.lane(name, 1); });
    }
    expect(wrong).toEqual([]);
  });
});

describe("text", () => {
  it("shows what runs", () => {
    const m = new ModuleBuilder().importMemory("e", "m", 1, 2);
    const g = m.function("g", ["i32"], ["f64"]);
    g.get(0).memory("f64.load", 8);
    const f = m.function("f", ["i32"], ["f64"]);
    f.get(0).if(() => { f.get(0).call(g); }, () => { f.f64(1.5); }, "f64");
    expect(m.text()).toBe(
      "(func $g (i32) -> (f64)\n  local.get 0\n  f64.load offset=8\n)\n" +
      "(func $f (i32) -> (f64)\n  local.get 0\n  if f64\n    local.get 0\n    call $g\n  else\n    f64.const 1.5\n  end\n)");
  });
});
