import type { FunctionBuilder, FunctionRef, Local } from "../assembler/index.js";
import { multiplyAdd, zero } from "./form.js";
import type { Form } from "./form.js";
import { times } from "./loops.js";
import { loadPart, storePart } from "./part.js";
import type { GemmContext } from "./spec.js";
import type { Body, VectorProduct } from "./vector-product.js";

/** Sums in flight hide the latency of addition: one of each row where there are rows enough, else several of a row. */
const sumsInFlight = (form: Form): number => (form.ordered ? 8 : 6);
/** From memory, one row after the other comes faster than several at once. */
const streamedBytes = 2 ** 23;

/** A matrix whose rows lie along k times a vector: dot products, several at once. */
export function dotBody(context: GemmContext, form: Form, p: VectorProduct): Body {
  const { size } = form;
  const together = p.rows * p.k * size > streamedBytes && form.ordered ? 1 : sumsInFlight(form);
  const gather = p.x !== 1 && p.k > 1;
  return {
    scratchBytes: gather ? Math.ceil((p.k * size) / 16) * 16 : 0,
    emit: (f) => {
      const matrix = p.locals.matrix;
      const [y, scratch] = [2, 3];
      let x: Local = p.locals.x;
      if (gather) {
        emitGather(f, form, p, x, scratch);
        x = scratch;
      }
      const rows = (count: number): FunctionBuilder => f.get(matrix).get(x).get(y).call(dotFunction(context, form, p, count));
      times(f, Math.floor(p.rows / together), () => {
        rows(together);
        f.get(matrix).i32(together * p.matrix.row * size).op("i32.add").set(matrix);
        f.get(y).i32(together * p.y * size).op("i32.add").set(y);
      });
      if (p.rows % together !== 0) rows(p.rows % together);
    },
  };
}

function emitGather(f: FunctionBuilder, form: Form, p: VectorProduct, x: Local, scratch: Local): void {
  const scalar = form.size === 4 ? "f32" : "f64";
  const target = f.local("i32");
  f.get(scratch).set(target);
  times(f, p.k, () => {
    f.get(target).get(x).memory(`${scalar}.load`).memory(`${scalar}.store`);
    f.get(target).i32(form.size).op("i32.add").set(target).get(x).i32(p.x * form.size).op("i32.add").set(x);
  });
  f.release(target);
}

/** (M, x, y): `rows` dot products. */
function dotFunction({ library }: GemmContext, form: Form, p: VectorProduct, rows: number): FunctionRef {
  const { size, lanes } = form;
  const name = `gemm.${form.dtype}.dot${rows}x${p.k}.${p.matrix.row}.${p.y}${p.accumulate ? ".add" : ""}`;
  return library.helper(name, { params: ["i32", "i32", "i32"], results: [] }, (f) => {
    const [matrix, x, y] = [0, 1, 2];
    const vectors = Math.floor(p.k / lanes);
    const sumsOfRow = Math.min(4, Math.max(1, Math.floor(sumsInFlight(form) / rows)));
    const sums = Array.from({ length: rows }, () => Array.from({ length: sumsOfRow }, () => f.local(form.type)));
    for (const s of sums.flat()) {
      zero(f, form);
      f.set(s);
    }
    const step = (u: number, count: number): void => {
      const [v, a] = [f.local(form.type), f.local(form.type)];
      loadPart(f, form, x, u * lanes * size, count);
      f.set(v);
      sums.forEach((s, r) => {
        loadPart(f, form, matrix, r * p.matrix.row * size + u * lanes * size, count);
        f.set(a);
        multiplyAdd(f, form, a, v, s[u % sumsOfRow]!);
      });
      f.release(v).release(a);
    };
    const advance = (by: number): void => {
      for (const pointer of [matrix, x]) f.get(pointer).i32(by * lanes * size).op("i32.add").set(pointer);
    };
    const turn = Math.max(2, sumsOfRow);
    if (vectors > turn) {
      const left = f.local("i32");
      f.i32(vectors).set(left);
      // The ways out keep TurboFan from loading everything first (see tile.ts); the last of them is taken.
      f.block((out) => f.loop((again) => {
        for (let u = 0; u < turn; u++) {
          step(u, lanes);
          if (u + 1 < turn) f.get(left).i32(u + 1).op("i32.eq").brIf(out);
        }
        advance(turn);
        f.get(left).i32(turn).op("i32.sub").tee(left).brIf(again);
      }));
      if (vectors % turn !== 0) advance(vectors % turn);
    } else {
      for (let u = 0; u < vectors; u++) step(u, lanes);
      if (vectors > 0) advance(vectors);
    }
    if (p.k % lanes !== 0) step(0, p.k % lanes);
    sums.forEach((line, r) => {
      const s = line[0]!;
      // In pairs, so that rounding errors grow with the logarithm.
      for (let gap = 1; gap < line.length; gap *= 2) for (let i = 0; i + gap < line.length; i += 2 * gap) f.get(line[i]!).get(line[i + gap]!).op(form.add).set(line[i]!);
      if (size === 4) f.get(s).get(s).get(s).shuffle32(2, 3, 2, 3).op(form.add).set(s).get(s).get(s).get(s).shuffle32(1, 1, 1, 1).op(form.add).set(s);
      else f.get(s).get(s).get(s).shuffle64(1, 1).op(form.add).set(s);
      const offset = r * p.y * size;
      if (p.accumulate) {
        f.get(s);
        loadPart(f, form, y, offset, 1);
        f.op(form.add).set(s);
      }
      storePart(f, form, y, offset, 1, s);
    });
  });
}
