import type { FunctionBuilder, FunctionRef, Local } from "../assembler/index.js";
import type { FloatDType } from "../functions/contract.js";
import { formOf } from "./form.js";
import { panelPacker } from "./pack.js";
import type { GemmCode, GemmContext } from "./spec.js";
import { tileFunction } from "./tile.js";

/** At most so deep are packed panels, so many rows of A and columns of B are packed at a time: they stay in the first, second and third level cache. */
const depth = 384;
const rowBlock = 192;
const columnBlock = 512;

/**
 * A product whose sizes are known only at run time, after Goto and van de Geijn (2008), "Anatomy of high-performance matrix
 * multiplication". Parameters (i32): m, n, k, A, aRow, aK, B, bK, bColumn, C, cRow, mode, scratch; strides are in elements, mode 0 is
 * C = AB, 1 is C += AB, 2 is C -= AB. One function per module and dtype.
 */
export function dynamicGemm(context: GemmContext, dtype: FloatDType): GemmCode {
  const form = formOf(context, dtype);
  const { rows, vectors } = form.block;
  const width = vectors * form.lanes;
  const { size } = form;
  const packedB = depth * Math.ceil(columnBlock / width) * width * size;
  const packedA = depth * Math.ceil(rowBlock / rows) * rows * size;
  const scratchBytes = packedB + packedA + rows * width * size;
  const target = context.library.helper(`gemm.${dtype}`, { params: new Array<"i32">(13).fill("i32"), results: [] }, (f) => {
    const [m, n, k, A, aRow, aK, B, bK, bColumn, C, cRow, mode, scratch] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    const packA = panelPacker(context, form, { width: rows, step: rows, ragged: true });
    const packB = panelPacker(context, form, { width, step: width, ragged: true });
    const tile = tileFunction(context, form, { rows, columns: width, a: { row: size, step: rows * size }, b: { step: width * size, padded: true } });
    const spill = addBlock(context, dtype, rows, width);
    for (const stride of [aRow, aK, bK, bColumn, cRow]) f.get(stride).i32(size).op("i32.mul").set(stride);
    const [j, p, i, nc, kc, mc, jr, ir, bPanel, aPanel, pc, overwrite, temporary] = Array.from({ length: 13 }, () => f.local("i32")) as [Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local];
    const aBuffer = f.local("i32");
    f.get(scratch).i32(packedB).op("i32.add").tee(aBuffer).i32(packedA).op("i32.add").set(temporary);
    f.get(m).op("i32.eqz").get(n).op("i32.eqz").op("i32.or").if(() => f.op("return"));
    f.get(k).op("i32.eqz").if(() => {
      f.get(mode).op("i32.eqz").if(() => clear(f, C, cRow, m, n, size));
      f.op("return");
    });
    const [columnStep, depthStep, rowStep] = [f.local("i32"), f.local("i32"), f.local("i32")];
    evenly(f, n, columnBlock, width, columnStep);
    evenly(f, k, depth, 1, depthStep);
    evenly(f, m, rowBlock, rows, rowStep);
    range(f, j, n, columnStep, nc, () => {
      range(f, p, k, depthStep, kc, () => {
        f.get(mode).op("i32.eqz").get(p).op("i32.eqz").op("i32.and").set(overwrite);
        at(f, B, p, bK, j, bColumn).get(bColumn).get(bK).get(nc).get(kc).get(scratch).i32(0).call(packB);
        range(f, i, m, rowStep, mc, () => {
          at(f, A, i, aRow, p, aK).get(aRow).get(aK).get(mc).get(kc).get(aBuffer).get(mode).i32(2).op("i32.eq").call(packA);
          f.get(scratch).set(bPanel).i32(0).set(jr);
          f.loop((nextColumns) => {
            f.get(aBuffer).set(aPanel).i32(0).set(ir);
            f.loop((nextRows) => {
              f.get(C).get(i).get(ir).op("i32.add").get(cRow).op("i32.mul").op("i32.add").get(j).get(jr).op("i32.add").i32(size).op("i32.mul").op("i32.add").set(pc);
              const whole = (): void => { f.get(mc).get(ir).op("i32.sub").i32(rows).op("i32.ge_s").get(nc).get(jr).op("i32.sub").i32(width).op("i32.ge_s").op("i32.and"); };
              whole();
              f.if(
                () => f.get(aPanel).get(bPanel).get(pc).get(kc).get(cRow).get(overwrite).call(tile),
                () => {
                  f.get(aPanel).get(bPanel).get(temporary).get(kc).i32(width * size).i32(1).call(tile);
                  f.get(temporary).get(pc).get(cRow);
                  least(f, () => f.get(mc).get(ir).op("i32.sub"), rows);
                  least(f, () => f.get(nc).get(jr).op("i32.sub"), width);
                  f.get(overwrite).call(spill);
                },
              );
              f.get(aPanel).get(kc).i32(rows * size).op("i32.mul").op("i32.add").set(aPanel);
              f.get(ir).i32(rows).op("i32.add").tee(ir).get(mc).op("i32.lt_s").brIf(nextRows);
            });
            f.get(bPanel).get(kc).i32(width * size).op("i32.mul").op("i32.add").set(bPanel);
            f.get(jr).i32(width).op("i32.add").tee(jr).get(nc).op("i32.lt_s").brIf(nextColumns);
          });
        });
      });
    });
  });
  return { target, scratchBytes };
}

/** for (x = 0; x < limit; x += step) with part = min(step, limit - x); limit is at least 1. */
function range(f: FunctionBuilder, x: Local, limit: Local, step: Local, part: Local, body: () => void): void {
  f.i32(0).set(x).loop((again) => {
    f.get(limit).get(x).op("i32.sub").tee(part).get(step).get(part).get(step).op("i32.lt_s").op("select").set(part);
    body();
    f.get(x).get(step).op("i32.add").tee(x).get(limit).op("i32.lt_s").brIf(again);
  });
}

/** step = size in the fewest equal parts of at most `most` (a multiple of `unit`), rounded up to a multiple of `unit`. */
function evenly(f: FunctionBuilder, size: Local, most: number, unit: number, step: Local): void {
  f.get(size).i32(most - 1).op("i32.add").i32(most).op("i32.div_u").set(step);
  f.get(size).get(step).i32(unit).op("i32.mul").tee(step).op("i32.add").i32(1).op("i32.sub").get(step).op("i32.div_u").i32(unit).op("i32.mul").set(step);
}

/** Pushes min(value, limit). */
function least(f: FunctionBuilder, value: () => void, limit: number): void {
  const t = f.local("i32");
  value();
  f.tee(t).i32(limit).get(t).i32(limit).op("i32.lt_s").op("select").release(t);
}

/** Pushes base + x * xStride + y * yStride. */
function at(f: FunctionBuilder, base: Local, x: Local, xStride: Local, y: Local, yStride: Local): FunctionBuilder {
  return f.get(base).get(x).get(xStride).op("i32.mul").op("i32.add").get(y).get(yStride).op("i32.mul").op("i32.add");
}

/** (from, to, toRow, rows, columns, overwrite): the part of a block that lies inside C. */
function addBlock({ library }: GemmContext, dtype: FloatDType, rows: number, width: number): FunctionRef {
  const scalar = dtype === "float32" ? "f32" : "f64";
  const size = dtype === "float32" ? 4 : 8;
  return library.helper(`gemm.${dtype}.edge${rows}x${width}`, { params: ["i32", "i32", "i32", "i32", "i32", "i32"], results: [] }, (f) => {
    const [from, to, toRow, r, c, overwrite] = [0, 1, 2, 3, 4, 5];
    const x = f.local("i32");
    f.get(c).i32(size).op("i32.mul").set(c);
    const element = (): FunctionBuilder => f.get(from).get(x).op("i32.add").memory(`${scalar}.load`);
    const eachRow = (store: () => void): void => {
      f.loop((nextRow) => {
        f.i32(0).set(x);
        f.loop((next) => {
          f.get(to).get(x).op("i32.add");
          store();
          f.memory(`${scalar}.store`).get(x).i32(size).op("i32.add").tee(x).get(c).op("i32.lt_s").brIf(next);
        });
        f.get(from).i32(width * size).op("i32.add").set(from).get(to).get(toRow).op("i32.add").set(to);
        f.get(r).i32(1).op("i32.sub").tee(r).brIf(nextRow);
      });
    };
    f.get(overwrite).if(
      () => eachRow(() => element()),
      () => eachRow(() => {
        f.get(to).get(x).op("i32.add").memory(`${scalar}.load`);
        element().op(`${scalar}.add`);
      }),
    );
  });
}

/** C = 0, the value of an empty sum. */
function clear(f: FunctionBuilder, C: Local, cRow: Local, m: Local, n: Local, size: number): void {
  f.loop((again) => {
    f.get(C).i32(0).get(n).i32(size).op("i32.mul").memoryFill();
    f.get(C).get(cRow).op("i32.add").set(C);
    f.get(m).i32(1).op("i32.sub").tee(m).brIf(again);
  });
}
