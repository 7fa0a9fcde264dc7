/** Ours. */
import * as core from "@hessia/core";
import { np } from "@hessia/core";
import { serve } from "../harness/serve.js";
import { arithmetic } from "../adapters/hessia/arithmetic.js";
import { derivatives } from "../adapters/hessia/derivatives.js";
import { linearAlgebra } from "../adapters/hessia/linear-algebra.js";
import { products } from "../adapters/hessia/products.js";
import { surveyAdapter } from "../adapters/hessia/survey.js";
import { training } from "../adapters/hessia/training.js";
import { threadsAsked, versionsOf } from "../adapters/versions.js";

await serve(() => {
  const threads = threadsAsked();
  if (threads > 1) core.setThreads(threads);
  return Promise.resolve({
    versions: { ...versionsOf(), device: core.defaultDevice() },
    adapter: { ...arithmetic, ...derivatives, ...training, ...linearAlgebra, ...products, ...surveyAdapter },
    memoryLoop(mode) {
      if (mode === "step") {
        // Ten megabytes of float64 parameters.
        let p = np.ones([1_250_000]);
        const step = core.jit((x: core.NDArray) => np.subtract(x, np.multiply(x, 1e-6)));
        return () => { p = step(p); };
      }
      const x = np.ones([mode === "small" ? 10 : 10_000]);
      return () => { np.add(x, 1); };
    },
  });
});
