/** TensorFlow.js on its WebAssembly backend: eager, float32, second derivatives by reverse over reverse. */
import { type Adapter, elementOf, numberOf, type Params, type Prepared, textOf, Unsupported } from "../../harness/case.js";
import { centered, digest, type Numbers, uniform } from "../../harness/data.js";
import * as cnn from "../../tasks/cnn.js";
import { arraysOf, convolutionOf, pooledImages, pooledShape, shapesOf } from "../../tasks/convolutions.js";
import { chainLength } from "../../tasks/dispatch.js";
import { numbers, positions, shapeOf, side } from "../../tasks/indexing.js";
import * as logistic from "../../tasks/logistic.js";
import * as mlp from "../../tasks/mlp.js";
import { operands, productOf } from "../../tasks/products.js";
import { axisOf, columns, input, rows } from "../../tasks/reductions.js";
import { direction, point } from "../../tasks/rosenbrock.js";
import { surveyInput, type SurveyName } from "../../tasks/survey.js";
import type { Untyped } from "../untyped.js";

export function tfjsAdapter(tf: Untyped): Adapter {
  const array = (data: Numbers, shape: readonly number[]): Untyped => tf.tensor(data, shape, "float32");
  const float32 = (params: Params): void => { if (elementOf(params) !== "float32") throw new Unsupported("has no float64"); };
  const eager = (params: Params): void => { if (textOf(params, "mode") !== "eager") throw new Unsupported("has no jit"); };
  const sampled = (y: Untyped): number[] => {
    const values = digest(y.dataSync() as Numbers);
    y.dispose();
    return values;
  };
  const calling = (call: () => Untyped): Prepared => {
    const tidy = (): Untyped => tf.tidy(call);
    return { run: () => { tidy().dispose(); }, digest: () => sampled(tidy()) };
  };
  /** Minimizes with one of its optimizers; every step reads the loss. */
  const stepping = (make: () => { loss: () => Untyped; optimizer: Untyped; variables: Untyped[] }, checked: number): Prepared => {
    const step = ({ loss, optimizer }: { loss: () => Untyped; optimizer: Untyped }): number => {
      const value = optimizer.minimize(loss, true);
      const number = Number(value.dataSync()[0]);
      value.dispose();
      return number;
    };
    const kept = make();
    return {
      run: () => void step(kept),
      digest() {
        const fresh = make();
        const losses = Array.from({ length: checked }, () => step(fresh));
        tf.dispose(fresh.variables);
        return losses;
      },
      dispose() { tf.dispose(kept.variables); },
    };
  };

  return {
    matmul(params) {
      float32(params);
      const n = numberOf(params, "n");
      const [a, b] = [array(centered(n * n, 1), [n, n]), array(centered(n * n, 2), [n, n])];
      return { ...calling(() => tf.matMul(a, b)), dispose: () => tf.dispose([a, b]) };
    },

    products(params) {
      float32(params);
      const p = productOf(params);
      const [a, b] = operands(p, "float32").map((v, i) => array(v, p.shapes[i]!));
      const { matmul, spec } = p;
      const plain: Record<string, () => Untyped> = {
        "ij,j->i": () => tf.matMul(a, tf.reshape(b, [-1, 1])), "i,ij->j": () => tf.matMul(tf.reshape(a, [1, -1]), b),
        "i,j->ij": () => tf.outerProduct(a, b), "i,i->": () => tf.sum(tf.mul(a, b)),
        "bij,bj->bi": () => tf.matMul(a, tf.expandDims(b, -1)), "bhqk,bkhd->bqhd": () => tf.transpose(tf.matMul(a, tf.transpose(b, [0, 2, 1, 3])), [0, 2, 1, 3]),
      };
      return { ...calling(matmul ? () => tf.matMul(a, b, matmul.ta, matmul.tb) : plain[spec]!), dispose: () => tf.dispose([a, b]) };
    },

    convolutions(params) {
      if (params["op"] !== undefined) {
        const x = array(pooledImages(), pooledShape);
        const window = numberOf(params, "window");
        return { ...calling(() => tf[params["op"] === "max" ? "maxPool" : "avgPool"](x, window, 2, "valid")), dispose: () => x.dispose() };
      }
      const c = convolutionOf(params);
      if (c.what === "kernel") throw new Unsupported("has no gradient by the kernel on this backend");
      const [x, k, t] = arraysOf(c).map((v, i) => array(v, shapesOf(c)[i]!));
      const alone = c.groups > 1;
      if (alone && c.what === "input") throw new Unsupported("has no gradient of a depthwise convolution on this backend");
      const depthwise = alone ? tf.transpose(k, [0, 1, 3, 2]) : undefined;
      const call = (): Untyped => (c.what === "input" ? tf.conv2dTranspose(t, k, shapesOf(c)[0], c.stride, "same") : depthwise ? tf.depthwiseConv2d(x, depthwise, c.stride, "same") : tf.conv2d(x, k, c.stride, "same"));
      return { ...calling(call), dispose: () => tf.dispose([x, k, t, depthwise]) };
    },

    fused(params) {
      float32(params);
      const n = numberOf(params, "n");
      const x = array(centered(n, 3, "float32", 4), [n]);
      return { ...calling(() => tf.sum(tf.add(tf.mul(tf.tanh(x), tf.exp(tf.neg(tf.mul(x, x)))), tf.mul(x, 0.5)))), dispose: () => x.dispose() };
    },

    reductions(params) {
      const x = array(input(), [rows, columns]);
      const op = textOf(params, "op");
      const axis = axisOf(params["axis"]!);
      const flat = tf.reshape(x, [rows * columns]);
      const call = (): Untyped => {
        if (op === "logSoftmax") return tf.logSoftmax(x);
        if (op === "argmax") return axis === null ? tf.argMax(flat, 0) : tf.argMax(x, axis);
        return axis === null ? tf[op](x) : tf[op](x, axis);
      };
      return { ...calling(call), dispose: () => tf.dispose([x, flat]) };
    },

    indexing(params) {
      float32(params);
      const [op, shape, axis] = [textOf(params, "op"), textOf(params, "shape"), numberOf(params, "axis")];
      if (op === "sort" || op === "argsort") throw new Unsupported("has no sort but topk");
      const x = array(numbers("float32"), shapeOf(shape));
      const at = tf.tensor(positions(shape), [shapeOf(shape)[0]], "int32");
      const column = tf.reshape(at, [at.size, 1]);
      const call = (): Untyped => (op === "cumsum" ? tf.cumsum(x, axis) : op === "take" ? tf.gather(x, at, 0) : tf.add(x, tf.scatterND(column, x, shape === "vector" ? [at.size] : [side, side])));
      return { ...calling(call), dispose: () => tf.dispose([x, at, column]) };
    },

    survey(params) {
      float32(params);
      eager(params);
      const n = numberOf(params, "n");
      const input = surveyInput(n, "float32");
      const { rows, columns } = input;
      const [x, y, positive, matrix] = [array(input.x, [n]), array(input.y, [n]), array(input.positive, [n]), array(input.x, [rows, columns])];
      const [column, row] = [array(input.x.slice(0, rows), [rows, 1]), array(input.y.slice(0, columns), [columns])];
      const operations: Partial<Record<SurveyName, () => Untyped>> = {
        remainder: () => tf.mod(x, positive), cube: () => tf.pow(x, 3), clip: () => tf.clipByValue(x, -1, 1), where: () => tf.where(tf.greater(x, 0), x, y), "column + row": () => tf.add(column, row), transpose: () => tf.transpose(matrix),
        concatenate: () => tf.concat([x, y]), pad: () => tf.pad(matrix, [[1, 1], [1, 1]]), "every second": () => tf.stridedSlice(x, [0], [n], [2]), "variance, axis 0": () => tf.moments(matrix, 0).variance, "norm, axis 1": () => tf.norm(matrix, 2, 1), softmax: () => tf.softmax(matrix),
      };
      const call = operations[textOf(params, "op") as SurveyName];
      if (!call) throw new Unsupported("has no such function");
      return { ...calling(call), dispose: () => tf.dispose([x, y, positive, matrix, column, row]) };
    },

    dispatch(params) {
      eager(params);
      const n = numberOf(params, "n");
      const x = array(uniform(Math.max(1, n), 5), n === 0 ? [] : [n]);
      const one = tf.scalar(1);
      const call = (): Untyped => {
        let y = tf.add(x, one);
        if (textOf(params, "use") === "chain") for (let i = 1; i < chainLength; i++) y = tf.add(y, one);
        return y;
      };
      return { run: textOf(params, "use") === "chain" ? () => { const y = tf.tidy(call); y.dataSync(); y.dispose(); } : () => { const y = call(); y.dataSync(); y.dispose(); }, digest: () => sampled(tf.tidy(call)) };
    },

    mlp(params) {
      eager(params);
      const [x, y] = [array(mlp.images(), [mlp.batch, mlp.widths[0]]), array(mlp.oneHot(), [mlp.batch, 10])];
      return stepping(() => {
        const p = Array.from({ length: mlp.layerCount }, (_, i) => [array(mlp.weights(i), [mlp.widths[i]!, mlp.widths[i + 1]!]), tf.zeros([mlp.widths[i + 1]!])]).flat().map((t) => tf.variable(t));
        const loss = (): Untyped => {
          let h = x;
          for (let i = 0; i < mlp.layerCount; i++) {
            h = tf.add(tf.matMul(h, p[2 * i]), p[2 * i + 1]);
            if (i < mlp.layerCount - 1) h = tf.relu(h);
          }
          return tf.neg(tf.sum(tf.mul(tf.logSoftmax(h), y))).mul(1 / mlp.batch);
        };
        return { loss, optimizer: tf.train.adam(mlp.learningRate, 0.9, 0.999, 1e-8), variables: p };
      }, mlp.checkedSteps);
    },

    rosenbrock(params) {
      float32(params);
      eager(params);
      const n = numberOf(params, "n");
      const [x, v] = [array(point(n, "float32"), [n]), array(direction(n, "float32"), [n])];
      const f = (p: Untyped): Untyped => {
        const [later, earlier] = [p.slice([1], [n - 1]), p.slice([0], [n - 1])];
        return tf.sum(tf.add(tf.mul(tf.square(tf.sub(later, tf.square(earlier))), 100), tf.square(tf.sub(1, earlier))));
      };
      const gradient = tf.grad(f);
      const product = (t: Untyped): Untyped => tf.grad((p: Untyped) => tf.sum(tf.mul(gradient(p), t)))(x);
      const basis = tf.eye(n);
      const what = textOf(params, "what");
      if (what === "grad") return calling(() => gradient(x));
      if (what === "hvp") return calling(() => product(v));
      return calling(() => tf.stack(Array.from({ length: n }, (_, i) => product(basis.slice([i, 0], [1, n]).reshape([n])))));
    },

    logistic(params) {
      float32(params);
      const { sampleCount, featureCount } = logistic;
      const a = array(logistic.features("float32"), [sampleCount, featureCount]);
      const y = array(logistic.signs("float32"), [sampleCount]);
      const w = array(logistic.weights("float32"), [featureCount]);
      // Written as log1p(exp(x)) it has a wrong second derivative: that of exp is lost.
      const f = (p: Untyped): Untyped => tf.mean(tf.softplus(tf.neg(tf.mul(tf.matMul(a, p.reshape([featureCount, 1])).reshape([sampleCount]), y))));
      const gradient = tf.grad(f);
      const basis = tf.eye(featureCount);
      const product = (t: Untyped): Untyped => tf.grad((p: Untyped) => tf.sum(tf.mul(gradient(p), t)))(w);
      return calling(() => tf.stack(Array.from({ length: featureCount }, (_, i) => product(basis.slice([i, 0], [1, featureCount]).reshape([featureCount])))));
    },

    cnn(params) {
      if (textOf(params, "what") !== "forward") throw new Unsupported("has no gradient of convolution on this backend");
      const x = array(cnn.images(), [cnn.batch, 28, 28, 1]);
      const y = array(cnn.oneHot(), [cnn.batch, 10]);
      const kernel = (data: Float32Array, outputs: number, inputs: number): Untyped => tf.tidy(() => tf.transpose(tf.tensor(data, [outputs, inputs, 3, 3]), [2, 3, 1, 0]));
      const p = [kernel(cnn.kernel1(), 16, 1), tf.zeros([16]), kernel(cnn.kernel2(), 32, 16), tf.zeros([32]), tf.tidy(() => tf.reshape(tf.transpose(tf.tensor(cnn.dense(), [32, 49, 10]), [1, 0, 2]), [1568, 10])), tf.zeros([10])];
      return calling(() => {
        let h = tf.maxPool(tf.relu(tf.add(tf.conv2d(x, p[0], 1, "same"), p[1])), 2, 2, "same");
        h = tf.maxPool(tf.relu(tf.add(tf.conv2d(h, p[2], 1, "same"), p[3])), 2, 2, "same").reshape([cnn.batch, 1568]);
        return tf.neg(tf.sum(tf.mul(tf.logSoftmax(tf.add(tf.matMul(h, p[4]), p[5])), y))).mul(1 / cnn.batch);
      });
    },

    linalg() { throw new Unsupported("has no float64"); },
    lstm() { throw new Unsupported("has no loop with derivatives"); },
    descent() { throw new Unsupported("has no compiled loop"); },
  };
}
