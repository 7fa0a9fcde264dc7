import { jit, type NDArray, np, random, tree, vmap } from "@hessia/core";
import { hvp } from "@hessia/autodiff";
import { loadDigits } from "./digits/data.js";
import { heading } from "./terminal/table.js";
import { activation, crossEntropy, dense, type Momentum, momentumStep, residual, serial, startMomentum } from "./tiny-nn/index.js";

/** Trains a residual network of the tiny library on the digits, then takes a Hessian-vector product and an ensemble of it: neither was planned for. */
const { train, test } = loadDigits(new URL("../data/digits.csv.gz", import.meta.url));
const net = serial(dense(32), activation(np.tanh), residual(serial(dense(32), activation(np.tanh))), dense(10));

type Params = unknown[];
const loss = (params: Params, x: NDArray, y: NDArray): NDArray => crossEntropy(net.apply(params, x), y);
const step = jit(momentumStep<Params, [NDArray, NDArray]>(loss, 0.05));
const accuracy = jit((params: Params, x: NDArray, y: NDArray): NDArray => np.mean(np.equal(np.argmax(net.apply(params, x), -1), y).astype("float32")));

heading("A third-party network library on the public core");
const initial = net.init(random.key(0), [64])[0];
let state: Momentum<Params> = startMomentum(initial);
const [n, batch] = [train.images.shape[0]!, 100];
for (let epoch = 1; epoch <= 10; epoch++) {
  const order = random.permutation(random.foldIn(random.key(1), epoch), n);
  let value: NDArray | undefined;
  for (let b = 0; b + batch <= n; b += batch) {
    const rows = order.get(`${b}:${b + batch}`);
    [state, value] = step(state, np.take(train.images, rows, 0), np.take(train.labels, rows, 0));
  }
  if (epoch % 2 === 0) console.log(`epoch ${epoch}: loss ${Number(value!.item()).toFixed(4)}, test accuracy ${(100 * Number(accuracy(state.params, test.images, test.labels).item())).toFixed(1)} %`);
}

const ones = tree.map((w: NDArray) => np.onesLike(w), state.params) as Params;
const product = jit((p: Params, v: Params) => hvp((q: Params) => loss(q, test.images, test.labels), [p], [v])[1])(state.params, ones);
const norm = Math.sqrt(tree.leaves<NDArray>(product).reduce((s, x) => s + Number(np.sum(np.square(x)).item()), 0));
console.log(`|H v| along the vector of ones: ${norm.toFixed(4)}`);

const members = vmap((key: NDArray) => net.init(key, [64])[0])(random.split(random.key(5), 4));
const outputs = vmap((p: Params) => net.apply(p, test.images.get(":3")))(members);
console.log(`an ensemble of four untrained networks gives ${outputs.shape.join(" x ")} logits`);
if (Number(accuracy(state.params, test.images, test.labels).item()) < 0.94) throw new Error("the network did not learn");
