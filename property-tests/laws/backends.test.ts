import { blockUntilReady, devices, initWebGPU } from "@hessia/core";
import { allPrimitives, type Backend, getBackend } from "@hessia/core/extend";
import { backendLaws } from "@hessia/core/testing";
import { afterAll, describe, it } from "vitest";
import { installSamples, reachedThrough } from "./registry.js";

afterAll(() => blockUntilReady());
await initWebGPU().catch((e: unknown) => {
  if ((process.env["HESSIA_REQUIRE"] ?? "").includes("webgpu")) throw e;
  console.warn(`webgpu: no adapter here; not covered: its laws (${String(e)})`);
});
installSamples();
const primitives = allPrimitives().filter((p) => !(p.name in reachedThrough));

describe.each(devices().filter((name) => name !== "reference").map((name) => [name, getBackend(name)] as const))("%s agrees with the reference", (name, backend: Backend) => {
  const refused = new Map<string, string>();
  const covered = new Set<string>();
  // Devices without float64 are thin: what they lack they refuse by name, and that is printed. The others lack nothing.
  const thin = !backend.dtypes.has("float64");
  const laws = backendLaws(backend, { primitives, ...(thin ? { seeds: [1], near: { float32: { ofScale: 1e-5 } }, onRefusal: (p, e) => refused.set(p.name, e.message) } : {}) });
  it.each(laws.map((law) => [law.name, law] as const))("%s", async (lawName, law) => {
    if ((await law.check()) > 0) covered.add(lawName.split(" ")[0]!);
  });
  afterAll(() => console.log(`${name}: ${primitives.filter((p) => covered.has(p.name)).length} of ${primitives.length} primitives agree with the reference${refused.size ? `; it refuses by name ${[...refused.keys()].join(", ")}` : ""}`));
});
