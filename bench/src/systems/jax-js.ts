import { serve } from "../harness/serve.js";
import { jaxJsAdapter } from "../adapters/jax-js/adapter.js";
import { prepareEnvironment } from "../adapters/jax-js/environment.js";
import { importPeer } from "../adapters/untyped.js";
import { threadsAsked, versionsOf } from "../adapters/versions.js";

await serve(async () => {
  const threads = threadsAsked();
  prepareEnvironment(threads);
  const jax = await importPeer("@jax-js/jax");
  await jax.init("wasm");
  jax.defaultDevice("wasm");
  const np = jax.numpy;
  return {
    versions: versionsOf("@jax-js/jax"),
    adapter: jaxJsAdapter(jax, threads),
    memoryLoop(mode) {
      if (mode === "step") {
        let p = np.array(new Float64Array(1_250_000).fill(1), { shape: [1_250_000], dtype: np.float64 });
        const step = jax.jit((x: typeof p) => x.ref.sub(x.mul(1e-6)));
        return () => { p = step(p); };
      }
      const n = mode === "small" ? 10 : 10_000;
      const x = np.array(new Float64Array(n).fill(1), { shape: [n], dtype: np.float64 });
      // The result is read, which runs it, and dropped without the disposal that the library asks for.
      return () => { x.ref.add(1).ref.dataSync(); };
    },
  };
});
