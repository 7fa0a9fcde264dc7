import { ByteWriter } from "./bytes.js";
import { accessBytes, laneOps, memoryLaneOps, memoryOps, plainOps, structuralOps } from "./opcodes.js";
import type { LaneOp, MemoryLaneOp, MemoryOp, PlainOp } from "./opcodes.js";

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

export const valueTypeCodes: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

export interface FunctionType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function of the module, imported or defined; its index is known when the module is finished. */
export interface FunctionRef {
  readonly name: string;
  readonly type: FunctionType;
}

/** A target of branches: the block, loop or if that gave it out. */
export interface Label {
  readonly depth: number;
}

/** Index of a parameter or local. */
export type Local = number;
/** Index of a global. */
export type Global = number;

export interface CallSite {
  readonly at: number;
  readonly target: FunctionRef;
}

/** Where vector constants are put together. */
const vector = (() => {
  const bytes = new Uint8Array(16);
  const { buffer } = bytes;
  return { bytes, f64: new Float64Array(buffer), f32: new Float32Array(buffer), i32: new Int32Array(buffer) };
})();

const memoryAlign = new Map<string, number>([...Object.keys(memoryOps), ...Object.keys(memoryLaneOps)].map((op) => [op, Math.log2(accessBytes(op as MemoryOp))]));

/**
 * Writes the body of one function, instruction by instruction, in stack order: `f.get(x).f64(2).op("f64.mul").set(y)`.
 * Blocks take a closure, so they cannot be left open. Locals that are released are given out again.
 */
export class FunctionBuilder implements FunctionRef {
  readonly body = new ByteWriter();
  readonly calls: CallSite[] = [];
  readonly locals: ValueType[] = [];
  private readonly free: Partial<Record<ValueType, Local[]>> = {};
  private depth = 0;

  constructor(readonly name: string, readonly type: FunctionType) {}

  /** A new local of this type, or one released before (whose value is arbitrary then). */
  local(type: ValueType): Local {
    const reused = this.free[type]?.pop();
    if (reused !== undefined) return reused;
    this.locals.push(type);
    return this.type.params.length + this.locals.length - 1;
  }

  release(local: Local): this {
    const type = this.typeOf(local);
    (this.free[type] ??= []).push(local);
    return this;
  }

  typeOf(local: Local): ValueType {
    const type = local < this.type.params.length ? this.type.params[local] : this.locals[local - this.type.params.length];
    if (type === undefined) throw new RangeError(`${this.name} has no local ${local}`);
    return type;
  }

  /** An instruction without immediates. */
  op(name: PlainOp): this {
    this.body.opcode(plainOps[name]);
    return this;
  }

  get(local: Local): this {
    this.body.pair(structuralOps["local.get"], local);
    return this;
  }
  set(local: Local): this {
    this.body.pair(structuralOps["local.set"], local);
    return this;
  }
  tee(local: Local): this {
    this.body.pair(structuralOps["local.tee"], local);
    return this;
  }
  globalGet(global: Global): this {
    this.body.pair(structuralOps["global.get"], global);
    return this;
  }
  globalSet(global: Global): this {
    this.body.pair(structuralOps["global.set"], global);
    return this;
  }

  i32(value: number): this {
    this.body.byte(structuralOps["i32.const"]).signed(value);
    return this;
  }
  i64(value: bigint): this {
    this.body.byte(structuralOps["i64.const"]).signed64(value);
    return this;
  }
  f32(value: number): this {
    this.body.byte(structuralOps["f32.const"]).f32(value);
    return this;
  }
  f64(value: number): this {
    this.body.byte(structuralOps["f64.const"]).f64(value);
    return this;
  }
  /** A vector constant from its sixteen bytes. */
  v128(bytes: ArrayLike<number>): this {
    this.body.opcode(structuralOps["v128.const"]).bytes(bytes);
    return this;
  }
  f64x2(a: number, b = a): this {
    vector.f64[0] = a;
    vector.f64[1] = b;
    return this.v128(vector.bytes);
  }
  f32x4(a: number, b = a, c = a, d = a): this { return this.lanes(vector.f32, a, b, c, d); }
  i32x4(a: number, b = a, c = a, d = a): this { return this.lanes(vector.i32, a, b, c, d); }
  private lanes(view: Float32Array | Int32Array, a: number, b: number, c: number, d: number): this {
    view[0] = a;
    view[1] = b;
    view[2] = c;
    view[3] = d;
    return this.v128(vector.bytes);
  }
  i64x2(a: bigint, b = a): this { return this.v128(new Uint8Array(new BigInt64Array([a, b]).buffer)); }

  /** Loads from, or stores to, the address on the stack plus a constant byte offset. */
  memory(name: MemoryOp, offset = 0): this {
    this.body.opcode(memoryOps[name]).pair(memoryAlign.get(name)!, offset);
    return this;
  }
  memoryLane(name: MemoryLaneOp, lane: number, offset = 0): this {
    this.body.opcode(memoryLaneOps[name]).pair(memoryAlign.get(name)!, offset).byte(lane);
    return this;
  }
  lane(name: LaneOp, lane: number): this {
    this.body.opcode(laneOps[name]).byte(lane);
    return this;
  }
  /** Bytes of two vectors: 0..15 from the first, 16..31 from the second. */
  shuffle(bytes: readonly number[]): this {
    this.body.opcode(structuralOps["i8x16.shuffle"]).bytes(bytes);
    return this;
  }
  /** Shuffle of 32-bit lanes: 0..3 from the first vector, 4..7 from the second. */
  shuffle32(a: number, b: number, c: number, d: number): this {
    return this.shuffle([a, b, c, d].flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]));
  }
  /** Shuffle of 64-bit lanes: 0..1 from the first vector, 2..3 from the second. */
  shuffle64(a: number, b: number): this {
    return this.shuffle32(2 * a, 2 * a + 1, 2 * b, 2 * b + 1);
  }
  /** Destination, source and length are on the stack. */
  memoryCopy(): this {
    this.body.opcode(structuralOps["memory.copy"]).byte(0).byte(0);
    return this;
  }
  /** Destination, byte and length are on the stack. */
  memoryFill(): this {
    this.body.opcode(structuralOps["memory.fill"]).byte(0);
    return this;
  }

  private open(code: number, result: ValueType | undefined): Label {
    this.body.byte(code).byte(result === undefined ? 0x40 : valueTypeCodes[result]);
    return { depth: ++this.depth };
  }
  private close(): this {
    this.depth--;
    this.body.byte(structuralOps.end);
    return this;
  }

  /** Branches to the label go behind the block. */
  block(body: (label: Label) => void, result?: ValueType): this {
    body(this.open(structuralOps.block, result));
    return this.close();
  }
  /** Branches to the label start over. */
  loop(body: (label: Label) => void, result?: ValueType): this {
    body(this.open(structuralOps.loop, result));
    return this.close();
  }
  /** Takes an i32 from the stack. */
  if(then: (label: Label) => void, otherwise?: (label: Label) => void, result?: ValueType): this {
    const label = this.open(structuralOps.if, result);
    then(label);
    if (otherwise) {
      this.body.byte(structuralOps.else);
      otherwise(label);
    }
    return this.close();
  }
  private relative(label: Label): number {
    return this.depth - label.depth;
  }
  br(label: Label): this {
    this.body.pair(structuralOps.br, this.relative(label));
    return this;
  }
  brIf(label: Label): this {
    this.body.pair(structuralOps.br_if, this.relative(label));
    return this;
  }
  /** Branches to `labels[i]` for the i on the stack, else to `otherwise`. */
  brTable(labels: readonly Label[], otherwise: Label): this {
    this.body.pair(structuralOps.br_table, labels.length);
    for (const label of labels) this.body.unsigned(this.relative(label));
    this.body.unsigned(this.relative(otherwise));
    return this;
  }

  call(target: FunctionRef): this {
    this.body.byte(structuralOps.call);
    this.calls.push({ at: this.body.length, target });
    this.body.padded(0);
    return this;
  }
}
