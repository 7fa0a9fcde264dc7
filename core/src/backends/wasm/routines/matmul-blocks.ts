import type { FunctionBuilder } from "../assembler/index.js";
import type { FloatDType } from "../functions/contract.js";

/** A block of C: `rows` times `width` columns. Strides are in bytes. */
export interface Tile {
  readonly dtype: FloatDType;
  readonly rows: number;
  readonly width: number;
  readonly relaxed: boolean;
  readonly rowStrideC: number;
  /** From one k to the next, and from row to row. */
  readonly strideA: number;
  readonly rowStrideA: number;
  readonly strideB: number;
  /** Packed panels are padded with zeros to whole vectors. */
  readonly packedB: boolean;
}

const typeOf = (dtype: FloatDType) =>
  dtype === "float32"
    ? ({ size: 4, lanes: 4, shape: "f32x4", splat: "v128.load32_splat", zero: "v128.load32_zero", loadLane: "v128.load32_lane", storeLane: "v128.store32_lane" } as const)
    : ({ size: 8, lanes: 2, shape: "f64x2", splat: "v128.load64_splat", zero: "v128.load64_zero", loadLane: "v128.load64_lane", storeLane: "v128.store64_lane" } as const);

/** Loads `lanes` (or fewer) neighbouring elements, zeros behind them; never reads past the last. */
function partialLoad(f: FunctionBuilder, dtype: FloatDType, pointer: number, offset: number, count: number): void {
  const { size, lanes, zero, loadLane } = typeOf(dtype);
  f.get(pointer);
  if (count === lanes) {
    f.memory("v128.load", offset);
    return;
  }
  f.memory(zero, offset);
  const v = f.local("v128");
  f.set(v);
  for (let l = 1; l < count; l++) f.get(pointer).get(v).memoryLane(loadLane, l, offset + l * size).set(v);
  f.get(v).release(v);
}

/** Parameters: addresses of A, B and C, the depth (at least 1), and whether to add to C (else it is overwritten). */
export function emitMicrokernel(f: FunctionBuilder, t: Tile): void {
  const { size, lanes, shape, splat, storeLane } = typeOf(t.dtype);
  const [A, B, C, K, add] = [0, 1, 2, 3, 4];
  const vectors = Math.ceil(t.width / lanes);
  const count = (v: number): number => Math.min(lanes, t.width - v * lanes);
  const sums = Array.from({ length: t.rows }, () => Array.from({ length: vectors }, () => f.local("v128")));
  const b = Array.from({ length: vectors }, () => f.local("v128"));
  const a = f.local("v128");
  f.get(add).if(
    () => sums.forEach((row, r) => row.forEach((s, v) => {
      partialLoad(f, t.dtype, C, r * t.rowStrideC + v * 16, count(v));
      f.set(s);
    })),
    () => sums.forEach((row) => row.forEach((s) => f.i32x4(0).set(s))),
  );
  const step = (u: number): void => {
    b.forEach((local, v) => {
      partialLoad(f, t.dtype, B, u * t.strideB + v * 16, t.packedB ? lanes : count(v));
      f.set(local);
    });
    sums.forEach((row, r) => {
      f.get(A).memory(splat, u * t.strideA + r * t.rowStrideA).set(a);
      row.forEach((s, v) => {
        if (t.relaxed) f.get(a).get(b[v]!).get(s).op(`${shape}.relaxed_madd`).set(s);
        else f.get(s).get(a).get(b[v]!).op(`${shape}.mul`).op(`${shape}.add`).set(s);
      });
    });
  };
  const loopOf = (unroll: number): void => {
    f.loop((again) => {
      for (let u = 0; u < unroll; u++) step(u);
      f.get(A).i32(unroll * t.strideA).op("i32.add").set(A);
      f.get(B).i32(unroll * t.strideB).op("i32.add").set(B);
      f.get(K).i32(unroll).op("i32.sub").tee(K).i32(unroll).op("i32.ge_u").brIf(again);
    });
  };
  f.get(K).i32(4).op("i32.ge_u").if(() => loopOf(4));
  f.get(K).if(() => loopOf(1));
  sums.forEach((row, r) => row.forEach((s, v) => {
    const offset = r * t.rowStrideC + v * 16;
    if (count(v) === lanes) f.get(C).get(s).memory("v128.store", offset);
    else for (let l = 0; l < count(v); l++) f.get(C).get(s).memoryLane(storeLane, l, offset + l * size);
  }));
}

export interface Packing {
  readonly dtype: FloatDType;
  readonly columns: number;
  /** Columns of a panel. */
  readonly panel: number;
  /** Whether the source holds the transpose: `columns` rows of which a panel takes a strip. */
  readonly transposed: boolean;
  /** Bytes from one row of the source to the next. */
  readonly rowStride: number;
  /** Pads the last panel to so many columns (else to whole vectors). */
  readonly padTo?: number;
}

/** Copies `depth` rows into panels, one behind the other, each row by row. Parameters: source, target, depth (at least 1). */
export function emitPack(f: FunctionBuilder, p: Packing): void {
  const { size, lanes, loadLane, zero } = typeOf(p.dtype);
  const [source, target, depth] = [0, 1, 2];
  const [s, k, left] = [f.local("i32"), f.local("i32"), f.local("i32")];
  const columnStride = p.transposed ? p.rowStride : size;
  const strip = (width: number): void => {
    const padded = p.padTo ?? Math.ceil(width / lanes) * lanes;
    f.get(source).set(s).get(depth).set(k);
    f.loop((again) => {
      for (let v = 0; v * lanes < padded; v++) {
        const count = Math.max(0, Math.min(lanes, width - v * lanes));
        f.get(target);
        if (count === 0) f.i32x4(0);
        else if (!p.transposed) partialLoad(f, p.dtype, s, v * 16, count);
        else {
          const x = f.local("v128");
          f.get(s).memory(zero, v * lanes * columnStride).set(x);
          for (let l = 1; l < count; l++) f.get(s).get(x).memoryLane(loadLane, l, (v * lanes + l) * columnStride).set(x);
          f.get(x).release(x);
        }
        f.memory("v128.store", v * 16);
      }
      f.get(s).i32(p.transposed ? size : p.rowStride).op("i32.add").set(s);
      f.get(target).i32(padded * size).op("i32.add").set(target);
      f.get(k).i32(1).op("i32.sub").tee(k).brIf(again);
    });
  };
  const whole = Math.floor(p.columns / p.panel);
  if (whole > 0)
    f.i32(whole).set(left).loop((again) => {
      strip(p.panel);
      f.get(source).i32(p.panel * columnStride).op("i32.add").set(source);
      f.get(left).i32(1).op("i32.sub").tee(left).brIf(again);
    });
  if (p.columns % p.panel !== 0) strip(p.columns % p.panel);
}
