import { createRequire } from "node:module";
import { serve } from "../harness/serve.js";
import { tfjsAdapter } from "../adapters/tfjs/adapter.js";
import { allowThreads } from "../adapters/tfjs/threads.js";
import type { Untyped } from "../adapters/untyped.js";
import { threadsAsked, versionsOf } from "../adapters/versions.js";

const require = createRequire(import.meta.url);

await serve(async () => {
  const threads = threadsAsked();
  const tf = require("@tensorflow/tfjs") as Untyped;
  if (threads > 1) allowThreads();
  const backend = require("@tensorflow/tfjs-backend-wasm") as Untyped;
  if (threads > 1) {
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", true); // it takes Node for a place without threads
    backend.setThreadsCount(threads);
  }
  await tf.setBackend("wasm");
  await tf.ready();
  if (tf.getBackend() !== "wasm") throw new Error(`the backend is ${tf.getBackend()}, not wasm`);
  return {
    versions: versionsOf("@tensorflow/tfjs"),
    adapter: tfjsAdapter(tf),
    memoryLoop(mode) {
      const n = mode === "step" ? 2_500_000 : mode === "small" ? 10 : 10_000;
      let x = tf.tensor(new Float32Array(n).fill(1));
      if (mode === "step") return () => { x = tf.sub(x, tf.mul(x, 1e-6)); };
      return () => { tf.add(x, 1).dataSync(); };
    },
  };
});
