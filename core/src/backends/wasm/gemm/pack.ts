import type { FunctionBuilder, FunctionRef, Local } from "../assembler/index.js";
import { zero } from "./form.js";
import type { Form } from "./form.js";
import { loadPart } from "./part.js";
import type { GemmContext } from "./spec.js";

/** How wide a panel is, and with how many zeros behind it. */
export interface PanelWidth {
  readonly width: number;
  /** Elements from one depth to the next: the width, or more to hold whole vectors. */
  readonly step: number;
  /** Whether the last panel may be narrower, known only at run time: its zeros make up for it. */
  readonly ragged: boolean;
}

/**
 * Copies `count` by `depth` elements into panels, each panel depth by depth. Parameters (i32): source, its stride along the panel and
 * its stride along the depth in bytes, count, depth, target, and whether to change signs.
 */
export function panelPacker({ library }: GemmContext, form: Form, panel: PanelWidth): FunctionRef {
  const name = `gemm.${form.dtype}.pack${panel.width}of${panel.step}${panel.ragged ? "r" : ""}`;
  return library.helper(name, { params: new Array<"i32">(7).fill("i32"), results: [] }, (f) => emitPacker(f, form, panel));
}

function emitPacker(f: FunctionBuilder, form: Form, { width, step: row, ragged }: PanelWidth): void {
  const { dtype, size, lanes } = form;
  const scalar = dtype === "float32" ? "f32" : "f64";
  const [source, stride, step, count, depth, target, negate] = [0, 1, 2, 3, 4, 5, 6];
  const [s, k, x] = [f.local("i32"), f.local("i32"), f.local("i32")];
  const sign = f.local(scalar);
  f[scalar](-1)[scalar](1).get(negate).op("select").set(sign);
  const signs = lanes > 1 ? f.local("v128") : sign;
  if (lanes > 1) f.get(sign).op(dtype === "float32" ? "f32x4.splat" : "f64x2.splat").set(signs);
  const advance = (steps: number): void => {
    f.get(s).get(step).i32(steps).op("i32.mul").op("i32.add").set(s);
    f.get(target).i32(steps * row * size).op("i32.add").set(target);
  };
  const pad = (): void => {
    for (let w = width; w < row; w++) f.get(target)[scalar](0).memory(`${scalar}.store`, w * size);
  };
  /** Goes on from where s, k and target are, `steps` at a time. */
  const eachDepth = (steps: number, body: () => void): void => {
    f.block((done) => f.loop((again) => {
      f.get(k).i32(steps).op("i32.lt_s").brIf(done);
      body();
      advance(steps);
      f.get(k).i32(steps).op("i32.sub").set(k).br(again);
    }));
  };
  const vectors = (): void => eachDepth(1, () => {
    eachPart(width, lanes, (at, part) => {
      if (part === lanes || (lanes > 1 && at + lanes <= row)) {
        f.get(target);
        loadPart(f, form, s, at * size, part);
        f.get(signs).op(form.mul).memory(form.store, at * size);
      } else {
        for (let l = at; l < at + part; l++) f.get(target).get(s).memory(`${scalar}.load`, l * size).get(sign).op(`${scalar}.mul`).memory(`${scalar}.store`, l * size);
      }
    });
  });
  const strided = (): void => eachDepth(1, () => {
    f.get(s).set(x);
    for (let w = 0; w < width; w++) {
      f.get(target).get(x).memory(`${scalar}.load`).get(sign).op(`${scalar}.mul`).memory(`${scalar}.store`, w * size);
      if (w + 1 < width) f.get(x).get(stride).op("i32.add").set(x);
    }
    pad();
  });
  const transposed = (): void => {
    if (lanes > 1) eachDepth(lanes, () => {
      f.get(s).set(x);
      eachPart(width, lanes, (at, part) => transposePart(f, form, { source: x, stride, target, signs }, at, part, row));
    });
    strided();
  };
  const partial = (): void => eachDepth(1, () => {
    const w = f.local("i32");
    for (let v = 0; v < row; v++) f.get(target)[scalar](0).memory(`${scalar}.store`, v * size);
    f.get(s).set(x).i32(0).set(w);
    f.loop((again) => {
      f.get(target).get(w).i32(size).op("i32.mul").op("i32.add").get(x).memory(`${scalar}.load`).get(sign).op(`${scalar}.mul`).memory(`${scalar}.store`);
      f.get(x).get(stride).op("i32.add").set(x);
      f.get(w).i32(1).op("i32.add").tee(w).get(count).op("i32.lt_s").brIf(again);
    });
    f.release(w);
  });
  const start = (): FunctionBuilder => f.get(source).set(s).get(depth).set(k);
  f.block((done) => f.loop((again) => {
    f.get(count).i32(width).op("i32.lt_s").brIf(done);
    start().get(stride).i32(size).op("i32.eq").if(vectors, () => f.get(step).i32(size).op("i32.eq").if(transposed, strided));
    f.get(source).get(stride).i32(width).op("i32.mul").op("i32.add").set(source);
    f.get(count).i32(width).op("i32.sub").set(count).br(again);
  }));
  if (ragged)
    f.get(count).i32(0).op("i32.gt_s").if(() => {
      start();
      partial();
    });
}

/** Whole vectors, then what is left of the width. */
function eachPart(width: number, lanes: number, body: (at: number, part: number) => void): void {
  for (let at = 0; at < width; at += lanes) body(at, Math.min(lanes, width - at));
}

interface Copy {
  readonly source: Local;
  readonly stride: Local;
  readonly target: Local;
  readonly signs: Local;
}

/** `lanes` steps of `part` neighbours of a panel, whose depth lies side by side in the source; leaves `source` at the next neighbour. */
function transposePart(f: FunctionBuilder, form: Form, { source, stride, target, signs }: Copy, at: number, part: number, row: number): void {
  const { size, lanes } = form;
  const lines = Array.from({ length: lanes }, (_, i) => {
    const v = f.local("v128");
    if (i < part) {
      f.get(source).memory(form.load).get(signs).op(form.mul).set(v);
      f.get(source).get(stride).op("i32.add").set(source);
    } else {
      zero(f, form);
      f.set(v);
    }
    return v;
  });
  const columns = transpose(f, form, lines);
  columns.forEach((v, l) => {
    const offset = (l * row + at) * size;
    // What lies behind a part is zero, and written over by nothing.
    if (part === lanes || at + lanes <= row) f.get(target).get(v).memory(form.store, offset);
    else for (let i = 0; i < part; i++) f.get(target).get(v).memoryLane(size === 4 ? "v128.store32_lane" : "v128.store64_lane", i, offset + i * size);
  });
  for (const v of lines) f.release(v);
  for (const v of columns) f.release(v);
}

/** The columns of as many vectors as they have lanes, in new locals. */
export function transpose(f: FunctionBuilder, form: Form, lines: readonly Local[]): Local[] {
  const shuffled = (a: Local, b: Local, shuffle: (f: FunctionBuilder) => FunctionBuilder): Local => {
    const v = f.local("v128");
    shuffle(f.get(a).get(b)).set(v);
    return v;
  };
  const [l0, l1, l2, l3] = lines as [Local, Local, Local, Local];
  if (form.size === 8) return [shuffled(l0, l1, (x) => x.shuffle64(0, 2)), shuffled(l0, l1, (x) => x.shuffle64(1, 3))];
  const [a, b, c, d] = [[l0, l1], [l2, l3]].flatMap(([x, y]) => [shuffled(x!, y!, (g) => g.shuffle32(0, 4, 1, 5)), shuffled(x!, y!, (g) => g.shuffle32(2, 6, 3, 7))]) as [Local, Local, Local, Local];
  const columns = [shuffled(a, c, (x) => x.shuffle64(0, 2)), shuffled(a, c, (x) => x.shuffle64(1, 3)), shuffled(b, d, (x) => x.shuffle64(0, 2)), shuffled(b, d, (x) => x.shuffle64(1, 3))];
  for (const v of [a, b, c, d]) f.release(v);
  return columns;
}
