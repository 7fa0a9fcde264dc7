import type { FunctionBuilder, FunctionRef, Local } from "../assembler/index.js";
import type { Form } from "./form.js";
import type { GemmContext } from "./spec.js";

/**
 * Copies `count` by `depth` elements into panels of `width`, padded with zeros, each panel depth by depth. Parameters (i32): source,
 * its stride along the panel and its stride along the depth in bytes, count, depth, target, and whether to change signs.
 */
export function panelPacker({ library }: GemmContext, form: Form, width: number): FunctionRef {
  const { dtype, size, lanes } = form;
  const scalar = dtype === "float32" ? "f32" : "f64";
  return library.helper(`gemm.${dtype}.pack${width}`, { params: new Array<"i32">(7).fill("i32"), results: [] }, (f) => {
    const [source, stride, step, count, depth, target, negate] = [0, 1, 2, 3, 4, 5, 6];
    const [s, k, w, x] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    const sign = f.local(scalar);
    f[scalar](-1)[scalar](1).get(negate).op("select").set(sign);
    const signs = form.lanes > 1 ? f.local("v128") : sign;
    if (lanes > 1) f.get(sign).op(dtype === "float32" ? "f32x4.splat" : "f64x2.splat").set(signs);
    const eachDepth = (body: () => void): void => {
      f.get(source).set(s).get(depth).set(k);
      f.loop((again) => {
        body();
        f.get(s).get(step).op("i32.add").set(s);
        f.get(target).i32(width * size).op("i32.add").set(target);
        f.get(k).i32(1).op("i32.sub").tee(k).brIf(again);
      });
    };
    const vectors = (): void => eachDepth(() => {
      for (let v = 0; v < width; v += lanes) f.get(target).get(s).memory(form.load, v * size).get(signs).op(form.mul).memory(form.store, v * size);
    });
    const strided = (): void => eachDepth(() => {
      f.get(s).set(x);
      for (let v = 0; v < width; v++) {
        f.get(target).get(x).memory(`${scalar}.load`).get(sign).op(`${scalar}.mul`).memory(`${scalar}.store`, v * size);
        if (v + 1 < width) f.get(x).get(stride).op("i32.add").set(x);
      }
    });
    const partial = (): void => eachDepth(() => {
      for (let v = 0; v < width; v += lanes) {
        f.get(target);
        if (lanes > 1) f.i32x4(0);
        else f[scalar](0);
        f.memory(form.store, v * size);
      }
      f.get(s).set(x).i32(0).set(w);
      f.loop((again) => {
        f.get(target).get(w).i32(size).op("i32.mul").op("i32.add").get(x).memory(`${scalar}.load`).get(sign).op(`${scalar}.mul`).memory(`${scalar}.store`);
        f.get(x).get(stride).op("i32.add").set(x);
        f.get(w).i32(1).op("i32.add").tee(w).get(count).op("i32.lt_s").brIf(again);
      });
    });
    f.get(depth).op("i32.eqz").if(() => f.op("return"));
    whole(f, count, width, stride, size, vectors, strided, () => advance(f, source, stride, width));
    f.get(count).i32(0).op("i32.gt_s").if(partial);
  });
}

/** Whole panels, one after the other; `count` is what is left of them. */
function whole(f: FunctionBuilder, count: Local, width: number, stride: Local, size: number, vectors: () => void, strided: () => void, next: () => void): void {
  f.block((done) => f.loop((again) => {
    f.get(count).i32(width).op("i32.lt_s").brIf(done);
    f.get(stride).i32(size).op("i32.eq").if(vectors, strided);
    next();
    f.get(count).i32(width).op("i32.sub").set(count).br(again);
  }));
}

function advance(f: FunctionBuilder, source: Local, stride: Local, width: number): void {
  f.get(source).get(stride).i32(width).op("i32.mul").op("i32.add").set(source);
}
