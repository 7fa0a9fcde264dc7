import { accumulator, load } from "../../../kernel/expr.js";
import type { Kernel } from "../../../kernel/schedule.js";
import type { FunctionBuilder, FunctionRef } from "../assembler/index.js";
import { emitKernel } from "../codegen/kernel.js";
import type { FloatDType } from "../functions/contract.js";
import type { RoutineGenerator, RoutineRequest } from "./contract.js";
import { emitMicrokernel, emitPack } from "./matmul-blocks.js";
import type { Tile } from "./matmul-blocks.js";
import type { MatmulParams } from "../../../kernel/matmul.js";

/** Rows of a block of C that stays in registers; its columns are three vectors. */
const tileRows = 4;
const tileVectors = 3;
/** Depth of packed panels: one of B stays in the first-level cache. */
const depth = 256;
/** Rows of A that are gone through for each panel of B: they stay in the second-level cache. */
const rowBlock = 128;
/** Products of less work than this gain nothing from blocks. */
const smallWork = 4096;

export const matmul: RoutineGenerator = (request) => {
  const dtype = request.outputs[0]!.dtype;
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const p = request.params as MatmulParams;
  const { library } = request;
  const name = `matmul.${dtype}.${p.batch}x${p.m}x${p.n}x${p.k}${p.transposeA ? ".tA" : ""}${p.transposeB ? ".tB" : ""}`;
  const lanes = dtype === "float32" ? 4 : 2;
  const blocked = request.simd && p.m * p.n * p.k >= smallWork && p.m >= 2 && p.n >= lanes && !(p.transposeB && p.m < 8);
  // Few rows: to pack B would cost as much as the product.
  const packB = p.transposeB || (p.m > 16 && p.k * p.n * (16 / lanes) > 16384);
  const panelBytes = Math.min(depth, p.k) * (Math.ceil(p.n / lanes) * 16);
  const rowBytes = Math.min(depth, p.k) * (Math.ceil(Math.min(rowBlock, p.m) / tileRows) * tileRows * (16 / lanes));
  const scratchBytes = blocked ? (packB ? panelBytes : 0) + (p.transposeA ? rowBytes : 0) : 0;
  const target = library.helper(name, { params: ["i32", "i32", "i32", "i32"], results: [] }, (f) => {
    if (blocked) emitBlocked(f, request, p, dtype, packB, panelBytes);
    else emitAsKernel(f, request, p, dtype);
  });
  return { target, scratchBytes };
};

/** Small and skinny products as a plain loop nest, which unrolls them and finds the lanes. */
function emitAsKernel(f: FunctionBuilder, { library, simd }: RoutineRequest, p: MatmulParams, dtype: FloatDType): void {
  const { batch, m, n, k } = p;
  const a = load(dtype, 0, { offset: 0, strides: p.transposeA ? [m * k, 1, 0, m] : [m * k, k, 0, 1] });
  const b = load(dtype, 1, { offset: 0, strides: p.transposeB ? [k * n, 0, k, 1] : [k * n, 0, 1, n] });
  const kernel: Kernel = {
    dims: [batch, m, n],
    reduceDims: [k],
    accumulators: [{ op: "add", dtype, value: { op: "binary", dtype, fn: "mul", a, b } }],
    outputs: [{ buffer: 2, index: { offset: 0, strides: [m * n, n, 1] }, value: accumulator(dtype, 0) }],
  };
  emitKernel({ f, library, simd, locate: (buffer) => ({ kind: "local", local: buffer }) }, kernel);
}

/**
 * Goto's algorithm (Goto, van de Geijn 2008): panels of B, packed, stay in the first-level cache while blocks of rows of A go by;
 * each step multiplies a few rows by three vectors of columns in registers.
 */
function emitBlocked(f: FunctionBuilder, { library, module }: RoutineRequest, p: MatmulParams, dtype: FloatDType, packB: boolean, panelBytes: number): void {
  const { batch, m, n, k } = p;
  const size = dtype === "float32" ? 4 : 8;
  const lanes = 16 / size;
  const columns = tileVectors * lanes;
  const lastColumns = n % columns;
  const name = (what: string): string => `${f.name}.${what}`;
  const [A, B, C, scratch] = [0, 1, 2, 3];

  const tiles = new Map<string, FunctionRef>();
  const tile = (rows: number, width: number): FunctionRef => {
    const key = `${rows}x${width}`;
    let target = tiles.get(key);
    if (target === undefined) {
      const builder = module.function(name(`tile${key}`), ["i32", "i32", "i32", "i32", "i32"]);
      const t: Tile = {
        dtype, rows, width, relaxed: library.relaxed, rowStrideC: n * size,
        strideA: p.transposeA ? tileRows * size : size, rowStrideA: p.transposeA ? size : k * size,
        strideB: packB ? Math.ceil(width / lanes) * 16 : n * size, packedB: packB,
      };
      emitMicrokernel(builder, t);
      target = builder;
      tiles.set(key, target);
    }
    return target;
  };
  const packedB = packB ? module.function(name("packB"), ["i32", "i32", "i32"]) : undefined;
  if (packedB) emitPack(packedB, { dtype, columns: n, panel: columns, transposed: p.transposeB, rowStride: (p.transposeB ? k : n) * size });

  const [kk, kc, i, rows, j, pa, pb, pc, aBlock] = ["kk", "kc", "i", "rows", "j", "pa", "pb", "pc", "aBlock"].map(() => f.local("i32")) as [number, number, number, number, number, number, number, number, number];
  const scratchA = f.local("i32");
  f.get(scratch).i32(packB ? panelBytes : 0).op("i32.add").set(scratchA);
  const least = (limit: number, of: () => void): void => {
    const t = f.local("i32");
    of();
    f.tee(t).i32(limit).get(t).i32(limit).op("i32.lt_u").op("select").release(t);
  };
  /** for (x = 0; x < n; x += step) */
  const range = (x: number, limit: () => void, step: number, body: () => void): void => {
    f.i32(0).set(x).loop((again) => {
      body();
      f.get(x).i32(step).op("i32.add").tee(x);
      limit();
      f.op("i32.lt_u").brIf(again);
    });
  };
  const count = f.local("i32");
  const eachBatch = (body: () => void): void => {
    if (batch === 1) {
      body();
      return;
    }
    f.i32(batch).set(count).loop((again) => {
      body();
      for (const [pointer, elements] of [[A, m * k], [B, k * n], [C, m * n]] as const) f.get(pointer).i32(elements * size).op("i32.add").set(pointer);
      f.get(count).i32(1).op("i32.sub").tee(count).brIf(again);
    });
  };
  const packRows = new Map<number, FunctionRef>();
  const packA = (count: number): FunctionRef => {
    let target = packRows.get(count);
    if (target === undefined) {
      const builder = module.function(name(`packA${count}`), ["i32", "i32", "i32"]);
      emitPack(builder, { dtype, columns: count, panel: tileRows, transposed: false, rowStride: m * size, padTo: tileRows });
      target = builder;
      packRows.set(count, target);
    }
    return target;
  };

  eachBatch(() => {
    range(kk, () => f.i32(k), depth, () => {
      least(depth, () => f.i32(k).get(kk).op("i32.sub"));
      f.set(kc);
      if (packedB) {
        f.get(B).get(kk).i32(p.transposeB ? size : n * size).op("i32.mul").op("i32.add").get(scratch).get(kc).call(packedB);
      }
      range(i, () => f.i32(m), rowBlock, () => {
        least(rowBlock, () => f.i32(m).get(i).op("i32.sub"));
        f.set(rows);
        // Where the block of A starts: packed, or in place.
        if (p.transposeA) {
          f.get(A).get(kk).i32(m * size).op("i32.mul").op("i32.add").get(i).i32(size).op("i32.mul").op("i32.add").get(scratchA).get(kc);
          const rest = m % rowBlock;
          if (rest === 0) f.call(packA(rowBlock));
          else if (m < rowBlock) f.call(packA(rest));
          else {
            const [x, y, z] = [f.local("i32"), f.local("i32"), f.local("i32")];
            f.set(z).set(y).set(x);
            f.get(rows).i32(rowBlock).op("i32.eq").if(() => f.get(x).get(y).get(z).call(packA(rowBlock)), () => f.get(x).get(y).get(z).call(packA(rest)));
          }
          f.get(scratchA).set(aBlock);
        } else f.get(A).get(i).i32(k * size).op("i32.mul").op("i32.add").get(kk).i32(size).op("i32.mul").op("i32.add").set(aBlock);
        const r = f.local("i32");
        const panel = (width: number): void => {
          f.get(aBlock).set(pa);
          f.get(C).get(i).i32(n * size).op("i32.mul").op("i32.add").get(j).i32(size).op("i32.mul").op("i32.add").set(pc);
          f.get(rows).set(r);
          const go = (count: number): void => {
            f.get(pa).get(pb).get(pc).get(kc).get(kk).call(tile(count, width));
          };
          if (m >= tileRows)
            f.block((done) => f.loop((again) => {
              f.get(r).i32(tileRows).op("i32.lt_u").brIf(done);
              go(tileRows);
              f.get(pa);
              if (p.transposeA) f.get(kc).i32(tileRows * size).op("i32.mul");
              else f.i32(tileRows * k * size);
              f.op("i32.add").set(pa).get(pc).i32(tileRows * n * size).op("i32.add").set(pc);
              f.get(r).i32(tileRows).op("i32.sub").set(r).br(again);
            }));
          if (m % tileRows !== 0) f.get(r).if(() => go(m % tileRows));
        };
        f.get(packB ? scratch : B).set(pb);
        if (!packB) f.get(pb).get(kk).i32(n * size).op("i32.mul").op("i32.add").set(pb);
        f.i32(0).set(j);
        if (n >= columns)
          f.block((done) => f.loop((again) => {
            f.get(j).i32(n - columns).op("i32.gt_s").brIf(done);
            panel(columns);
            f.get(pb);
            if (packB) f.get(kc).i32(columns * size).op("i32.mul");
            else f.i32(columns * size);
            f.op("i32.add").set(pb).get(j).i32(columns).op("i32.add").set(j).br(again);
          }));
        if (lastColumns !== 0) panel(lastColumns);
        f.release(r);
      });
    });
  });
}
