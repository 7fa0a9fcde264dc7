import { devicePut, initWebGPU, np } from "@hessia/core";

/** What the page in Chromium does: an eager sum on the CPU, and a kernel, a reduction and a product on the GPU. */
async function main(): Promise<unknown> {
  const x = np.array([1, 2, 3]);
  const sum = np.add(x, 10);
  await initWebGPU();
  const g = await devicePut(np.array([[1, 2], [3, 4]], { dtype: "float32" }), "webgpu");
  const numbers = async (y: { read(): Promise<ArrayLike<number>> }) => Array.from(await y.read());
  return {
    device: sum.device, dtype: sum.dtype, sum: await numbers(sum),
    gpuDevice: np.add(g, 1).device, gpuSum: await numbers(np.add(np.multiply(g, 2), 1)), gpuTotal: await numbers(np.sum(g)), gpuProduct: await numbers(np.matmul(g, g)),
    float64: await devicePut(x, "webgpu").then(() => "accepted", (e: Error) => e.message),
  };
}

void main().then((value) => ({ value }), (e: unknown) => ({ error: e instanceof Error ? `${e.message}\n${e.stack}` : String(e) })).then((answer) => fetch("/answer", { method: "POST", body: JSON.stringify(answer) }));
