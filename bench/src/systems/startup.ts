/** A fresh process: imports one system, adds two numbers and prints when each was done. */
import { createRequire } from "node:module";
import { importPeer, type Untyped } from "../adapters/untyped.js";
import { prepareEnvironment } from "../adapters/jax-js/environment.js";

const data = new Float32Array([1, 2, 3]);

/** Imports a system; what it returns computes a first result. */
const systems: Record<string, () => Promise<() => unknown>> = {
  async hessia() {
    const { np } = await import("@hessia/core");
    return () => np.add(np.array(data), 1).toArray();
  },
  async "jax-js"() {
    prepareEnvironment(1);
    const jax = await importPeer("@jax-js/jax");
    await jax.init("wasm");
    jax.defaultDevice("wasm");
    return () => jax.numpy.array(data).add(1).data();
  },
  async tfjs() {
    const require = createRequire(import.meta.url);
    const tf = require("@tensorflow/tfjs") as Untyped;
    require("@tensorflow/tfjs-backend-wasm");
    await tf.setBackend("wasm");
    await tf.ready();
    return () => tf.add(tf.tensor(data), 1).data();
  },
  async "numpy-ts"() {
    const np = await importPeer("numpy-ts");
    return () => np.add(np.array([1, 2, 3]), 1).toArray();
  },
};

const compute = await systems[process.argv[2]!]!();
const imported = performance.now();
await compute();
console.log(JSON.stringify({ imported, first: performance.now() - imported }));
process.exit(0);
