import { serve } from "../harness/serve.js";
import { numpyTsAdapter } from "../adapters/numpy-ts/adapter.js";
import { importPeer } from "../adapters/untyped.js";
import { versionsOf } from "../adapters/versions.js";

await serve(async () => {
  const np = await importPeer("numpy-ts");
  np.configureWasm?.({ maxMemory: 2 ** 31 }); // with its default heap large products fall back to slow code
  return {
    versions: versionsOf("numpy-ts"),
    adapter: numpyTsAdapter(np),
    memoryLoop(mode) {
      const n = mode === "step" ? 1_250_000 : mode === "small" ? 10 : 10_000;
      let x = np.frombuffer(new Float64Array(n).fill(1), "float64").copy();
      if (mode === "step") return () => { x = np.subtract(x, np.multiply(x, 1e-6)); };
      return () => { np.add(x, 1); };
    },
  };
});
