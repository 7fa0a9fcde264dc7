import { blockUntilReady, devicePut, devices, initWebGPU, jit, type NDArray, np } from "@hessia/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The same programs on the GPU and on the CPU, from the public surface alone. */
afterAll(() => blockUntilReady());
const ready = await initWebGPU().then(
  () => true,
  (e: unknown) => {
    if ((process.env["HESSIA_REQUIRE"] ?? "").includes("webgpu")) throw e;
    console.warn(`webgpu: no adapter here; not covered: programs from np to the device and back (${String(e)})`);
    return false;
  },
);

const onGpu = (x: NDArray) => devicePut(x, "webgpu");
const values = (n: number, seed = 1) => Array.from({ length: n }, (_, i) => ((Math.imul(i + seed, 0x9e3779b1) >>> 0) / 2 ** 31 - 1) * 2);
const matrix = (m: number, n: number, seed = 1) => np.array(values(m * n, seed), { dtype: "float32" }).reshape([m, n]);

describe.skipIf(!ready)("programs on WebGPU", () => {
  let x: NDArray, y: NDArray;
  beforeAll(() => { [x, y] = [matrix(37, 65), matrix(65, 19, 7)]; });

  async function agrees(f: (...args: NDArray[]) => NDArray, args: NDArray[], tolerance: number) {
    const want = (await f(...args).read()) as Float32Array;
    const moved = await Promise.all(args.map(onGpu));
    for (const run of [f, jit(f)]) {
      const result = run(...moved);
      expect(result.device).toBe("webgpu");
      const got = (await result.read()) as Float32Array;
      expect(got.length).toBe(want.length);
      got.forEach((v, i) => expect(Math.abs(v - want[i]!)).toBeLessThanOrEqual(tolerance * (1 + Math.abs(want[i]!))));
    }
  }

  it("is a device by name", () => expect(devices()).toContain("webgpu"));
  it("elementwise", () => agrees((a) => np.add(np.multiply(np.sin(a), 2), np.exp(a)), [x], 1e-6));
  it("broadcasting and reductions", () => agrees((a) => np.subtract(a, np.mean(a, 0, { keepdims: true })), [x], 1e-6));
  it("a sum over everything", () => agrees((a) => np.sum(np.square(a)), [matrix(300, 300)], 1e-6));
  it("matrix products", () => agrees((a, b) => np.matmul(a, b), [x, y], 1e-5));
  it("transposed operands and an activation", () => agrees((a, b) => np.tanh(np.matmul(np.transpose(b), np.transpose(a))), [x, y], 1e-5));
  it("slices and flips", () => agrees((a) => np.flip(a, 1), [x], 0));

  it("a read that is not awaited is refused", async () => {
    const g = await onGpu(x);
    expect(() => np.add(g, 1).toArray()).toThrow(/read\(\)/);
  });

  it("float64 is refused with the way out", async () => {
    await expect(onGpu(np.array([1, 2], { dtype: "float64" }))).rejects.toThrow(/float64.*float32/);
  });

  it("what the device lacks says so", async () => {
    const g = await onGpu(x);
    expect(() => np.sort(g)).toThrow(/\[hessia:backend\].*"webgpu".*devicePut/);
  });
});
