import { itemsize } from "../../../../base/dtype.js";
import type { DType } from "../../../../base/dtype.js";
import type { Affine, BufferId, Expr } from "../../../../kernel/expr.js";
import type { FunctionBuilder, Local } from "../../assembler/index.js";
import type { BufferLocation } from "../location.js";

/** Affine functions with the same strides over the same base walk together and differ by a constant. */
interface Group {
  readonly buffer: BufferId | undefined;
  readonly base: Expr | undefined;
  /** Bytes of an element, or 1 for plain indices. */
  readonly unit: number;
  /** In units times `unit`. */
  readonly strides: readonly number[];
  /** Smallest offset of the group, in elements. */
  min: number;
  /** Whether the address may lie below the buffer where a guard keeps it from being used: constants must be added, not given to the load. */
  wrapping: boolean;
  /** Holds the moving part; undefined is 0. */
  local: Local | undefined;
  fixed: number;
}

export interface Access {
  readonly group: Group;
  readonly offset: number;
}

/** Addresses and indices of a loop nest, kept by addition instead of multiplication. */
export class Inductions {
  private readonly groups = new Map<string, Group>();
  private readonly baseIds = new Map<Expr, number>();
  private readonly pointers = new Map<BufferId, Local>();

  constructor(private readonly f: FunctionBuilder, private readonly sizes: readonly number[], private readonly locate: (buffer: BufferId) => BufferLocation) {}

  /** Registers an affine function; with a buffer it is an address. */
  access(affine: Affine, buffer?: BufferId, dtype?: DType, base?: Expr): Access {
    const unit = dtype === undefined ? 1 : itemsize(dtype);
    const strides = this.sizes.map((_, d) => (affine.strides[d] ?? 0) * unit);
    let baseId = 0;
    if (base) {
      baseId = this.baseIds.get(base) ?? this.baseIds.size + 1;
      this.baseIds.set(base, baseId);
    }
    const key = `${buffer ?? "i"}|${unit}|${baseId}|${strides.join(",")}`;
    let group = this.groups.get(key);
    if (group === undefined) {
      group = { buffer, base, unit, strides, min: affine.offset, wrapping: false, local: undefined, fixed: 0 };
      this.groups.set(key, group);
    } else group.min = Math.min(group.min, affine.offset);
    return { group, offset: affine.offset };
  }

  /** Emits what comes before the loops. */
  begin(pushBase: (base: Expr) => void): void {
    const { f } = this;
    for (const g of this.groups.values()) {
      const lowest = g.strides.reduce((sum, s, d) => sum + Math.min(0, s * (this.sizes[d]! - 1)), g.min * g.unit);
      g.wrapping = g.buffer === undefined || lowest < 0;
      g.fixed = g.min * g.unit;
      if (g.buffer === undefined) continue;
      const place = this.locate(g.buffer);
      if (place.kind === "frame") {
        g.local = 0;
        g.fixed += place.offset;
      } else if (place.kind === "local") g.local = place.local;
      else {
        let pointer = this.pointers.get(g.buffer);
        if (pointer === undefined) {
          pointer = f.local("i32");
          if (place.kind === "slot") f.get(0).memory("i32.load", place.offset).set(pointer);
          else f.i32(place.address).set(pointer);
          this.pointers.set(g.buffer, pointer);
        }
        g.local = pointer;
      }
      if (g.base) {
        const local = f.local("i32");
        pushBase(g.base);
        f.i32(g.unit).op("i32.mul").get(g.local).op("i32.add").set(local);
        g.local = local;
      }
    }
  }

  /** Moves every access by `amount` steps of a dimension, at compile time. */
  shift(dim: number, amount: number): void {
    if (amount === 0) return;
    for (const g of this.groups.values()) g.fixed += g.strides[dim]! * amount;
  }

  /** Gives the groups that move along `dim` locals of their own; `advance` and `move` move them, `close` gives back what was before. */
  open(dim: number): { advance(steps: number): void; move(steps: Local): void; close(): void } {
    const { f } = this;
    const moving = [...this.groups.values()].filter((g) => g.strides[dim] !== 0);
    const before = moving.map((g) => ({ local: g.local, fixed: g.fixed }));
    for (const g of moving) {
      const local = f.local("i32");
      if (g.local === undefined) f.i32(g.fixed);
      else {
        f.get(g.local);
        if (g.fixed !== 0) f.i32(g.fixed).op("i32.add");
      }
      f.set(local);
      g.local = local;
      g.fixed = 0;
    }
    return {
      advance: (steps) => {
        for (const g of moving) f.get(g.local!).i32(g.strides[dim]! * steps).op("i32.add").set(g.local!);
      },
      move: (steps) => {
        for (const g of moving) f.get(steps).i32(g.strides[dim]!).op("i32.mul").get(g.local!).op("i32.add").set(g.local!);
      },
      close: () => moving.forEach((g, i) => {
        f.release(g.local!);
        g.local = before[i]!.local;
        g.fixed = before[i]!.fixed;
      }),
    };
  }

  /** Pushes an address; what it returns is the constant offset for the load or store. */
  pushAddress({ group, offset }: Access, extraBytes = 0): number {
    const constant = group.fixed + (offset - group.min) * group.unit + extraBytes;
    this.f.get(group.local!);
    if (constant >= 0 && !group.wrapping) return constant;
    if (constant !== 0) this.f.i32(constant).op("i32.add");
    return 0;
  }

  /** Pushes the value of an index. */
  pushIndex({ group, offset }: Access): void {
    const constant = group.fixed + (offset - group.min);
    if (group.local === undefined) {
      this.f.i32(constant);
      return;
    }
    this.f.get(group.local);
    if (constant !== 0) this.f.i32(constant).op("i32.add");
  }
}
