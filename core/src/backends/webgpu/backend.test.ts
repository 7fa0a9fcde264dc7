import { afterAll, describe, expect, it } from "vitest";
import type { DType } from "../../base/dtype.js";
import { BackendError, DisposedError } from "../../base/errors.js";
import { accumulator, binary, constant, load, unary } from "../../kernel/expr.js";
import type { Schedule, Step } from "../../kernel/schedule.js";
import { getBackend } from "../registry.js";
import { referenceBackend } from "../reference/index.js";
import { openWebGPU } from "./index.js";
import { maxCommands } from "./plan.js";
import { along, execute, kernel, map, schedule, suiteOn, webgpuForTests } from "./testing.js";

const gpu = await webgpuForTests("the WebGPU device: storage, loops, errors");
afterAll(() => gpu?.idle());
const onGpu = suiteOn(gpu, describe, it);
const scalar = { offset: 0, strides: [] };
const x4 = Float32Array.of(1, 2, 3, 4);

const vectors = (count: number, size: number, dtype: DType = "float32") => Array.from({ length: count }, () => ({ dtype, size }));
const double = (size: number): Schedule => schedule({ buffers: vectors(2, size), inputs: [0], outputs: [1], steps: [map(size, 1, binary("mul", load("float32", 0, along), constant("float32", 2)))] });

function failure(f: () => unknown): BackendError {
  try {
    f();
  } catch (e) {
    if (e instanceof BackendError) return e;
    throw e;
  }
  throw new Error("expected a BackendError");
}

onGpu("storage", () => {
  it.each([["bool", Uint8Array.of(0, 1, 1)], ["int32", Int32Array.of(-1, 2, -2147483648)], ["uint32", Uint32Array.of(0, 4294967295)], ["float32", Float32Array.of(1.5, -0, NaN, Infinity, 1e-42)], ["float32", new Float32Array(0)]] as const)("writes and reads %s", async (dtype, data) => {
    const s = gpu!.write(dtype, data);
    expect([s.dtype, s.size]).toEqual([dtype, data.length]);
    expect(await gpu!.read(s)).toEqual(data);
    s.dispose();
  });

  it("copies what it is given, also from the middle of an array", async () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const s = gpu!.write("float32", data);
    data[0] = 7;
    expect(await gpu!.read(s)).toEqual(Float32Array.of(1, 2));
  });

  it("reads what was there when it was asked, whatever follows", async () => {
    const s = gpu!.write("float32", x4);
    const reading = gpu!.read(s);
    s.dispose();
    gpu!.write("float32", Float32Array.of(5, 6, 7, 8));
    expect(await reading).toEqual(x4);
  });

  it("counts what is live, and gives memory back on dispose", async () => {
    const before = gpu!.memory();
    const s = gpu!.write("float32", new Float32Array(1 << 20));
    expect(gpu!.memory().liveBytes - before.liveBytes).toBeGreaterThanOrEqual(4 << 20);
    expect(gpu!.memory().liveStorages).toBe(before.liveStorages + 1);
    s.dispose();
    s.dispose();
    expect(gpu!.memory()).toMatchObject({ liveBytes: before.liveBytes, liveStorages: before.liveStorages });
    expect(gpu!.memory().peakBytes).toBeGreaterThanOrEqual(4 << 20);
    await expect(gpu!.read(s)).rejects.toThrow(DisposedError);
  });

  it("keeps no more than its bound of idle buffers", () => {
    for (let i = 0; i < 5; i++) Array.from({ length: 4 }, () => gpu!.write("float32", new Float32Array((1 + i) << 22))).forEach((s) => s.dispose());
    expect(gpu!.pool.idleBytes).toBeLessThanOrEqual(256 * 2 ** 20);
  });
});

onGpu("running", () => {
  it("queues runs that depend on one another", async () => {
    const executable = gpu!.compile(double(4));
    let s = gpu!.write("float32", x4);
    const runs = gpu!.memory().runs;
    for (let i = 0; i < 20; i++) [s] = executable.run([s], [0]) as [typeof s];
    expect(gpu!.memory().runs).toBe(runs + 20);
    expect(await gpu!.read(s)).toEqual(x4.map((v) => v * 2 ** 20));
  });

  it("donated inputs are gone; their memory serves the next run", async () => {
    const executable = gpu!.compile(double(1 << 16));
    let s = gpu!.write("float32", new Float32Array(1 << 16).fill(1));
    const first = s;
    const before = gpu!.memory().liveBytes;
    for (let i = 0; i < 100; i++) [s] = executable.run([s], [0]) as [typeof s];
    expect(gpu!.memory().liveBytes).toBe(before);
    expect(() => executable.run([first])).toThrow(DisposedError);
    expect((await gpu!.read(s))[0]).toBe(2 ** 100);
  });

  it("temporaries that are never live together share memory", async () => {
    const n = 1000;
    const steps: Step[] = Array.from({ length: 10 }, (_, i) => map(n, i + 1, binary("add", load("float32", i, along), constant("float32", i))));
    const s = schedule({ buffers: vectors(11, n), inputs: [0], outputs: [10], steps });
    const executable = gpu!.compile(s);
    expect(executable.report).toMatchObject({ kernels: 10, routines: 0, arenaBytes: 2 * 4 * n });
    expect((await execute(gpu!, s, [new Float32Array(n)]))[0]![7]).toBe(45);
  });

  it("the same array may be two inputs", async () => {
    const s = schedule({ buffers: vectors(3, 4), inputs: [0, 1], outputs: [2], steps: [map(4, 2, binary("mul", load("float32", 0, along), load("float32", 1, along)))] });
    const x = gpu!.write("float32", x4);
    expect(await gpu!.read(gpu!.compile(s).run([x, x])[0]!)).toEqual(Float32Array.of(1, 4, 9, 16));
  });

  it("a schedule that writes into an input leaves the caller's array as it was", async () => {
    const s = schedule({ buffers: vectors(2, 4), inputs: [0], outputs: [1], steps: [map(2, 0, constant("float32", -1)), { kind: "copy", from: 0, to: 1, count: 4 }] });
    const x = gpu!.write("float32", x4);
    expect(await gpu!.read(gpu!.compile(s).run([x])[0]!)).toEqual(Float32Array.of(-1, -1, 3, 4));
    expect(await gpu!.read(x)).toEqual(x4);
  });

  it("constants, and copies to fixed and computed places", async () => {
    const k = load("int32", 2, scalar);
    const s = schedule({
      buffers: [...vectors(2, 4), { dtype: "int32", size: 1 }], inputs: [0], outputs: [1], constants: [{ buffer: 2, data: Int32Array.of(2) }],
      steps: [{ kind: "copy", from: 0, to: 1, count: 4 }, { kind: "copy", from: 0, fromBase: constant("int32", 1), to: 1, count: 1 }, { kind: "copy", from: 0, fromBase: k, to: 1, toBase: binary("add", k, constant("int32", 1)), count: 1 }],
    });
    expect((await execute(gpu!, s, [x4]))[0]).toEqual(Float32Array.of(2, 2, 3, 3));
  });

  it.each([false, true])("loops of fixed length are written out, reverse: %s", async (reverse) => {
    // y[k] = carry * 10 + k, carry = y[k]; nested: the inner loop adds its counter.
    const inner: Step = { kind: "for", count: 3, reverse: false, counter: 3, body: [kernel({ dims: [], outputs: [{ buffer: 4, index: scalar, value: binary("add", load("int32", 0, scalar), load("int32", 3, scalar)) }] }), { kind: "copy", from: 4, to: 0, count: 1 }] };
    const s = schedule({
      buffers: [...vectors(5, 1, "int32"), { dtype: "int32", size: 4 }], outputs: [0, 5],
      steps: [
        kernel({ dims: [], outputs: [{ buffer: 0, index: scalar, value: constant("int32", 1) }] }),
        {
          kind: "for", count: 4, reverse, counter: 1,
          body: [
            kernel({ dims: [], outputs: [{ buffer: 2, index: scalar, value: binary("add", binary("mul", load("int32", 0, scalar), constant("int32", 10)), load("int32", 1, scalar)) }] }),
            { kind: "copy", from: 2, to: 0, count: 1 },
            inner,
            { kind: "copy", from: 0, to: 5, toBase: load("int32", 1, scalar), count: 1 },
          ],
        },
      ],
    });
    const got = await execute(gpu!, s, []);
    expect(got).toEqual(await execute(referenceBackend, s, []));
    expect(got[1]).toHaveLength(4);
  });

  it("pipelines are shared by text, and bounded in number", () => {
    const before = gpu!.pipelines;
    gpu!.compile(double(777));
    gpu!.compile(double(777));
    expect(gpu!.pipelines).toBe(before + 1);
    expect(gpu!.compile(double(778)).report.text()).toContain("@compute");
  });
});

onGpu("what the device lacks", () => {
  const wayOut = /devicePut\(x, "wasm"\).*setDefaultDevice\("wasm"\)/;

  it("float64, anywhere, names the ways out", () => {
    expect(gpu!.dtypes.has("float64")).toBe(false);
    const e = failure(() => gpu!.write("float64", new Float64Array(1)));
    expect(e.message).toMatch(/float64 on device "webgpu".*float32.*"wasm"/);
    expect(failure(() => gpu!.compile(schedule({ buffers: vectors(2, 4, "float64"), inputs: [0], outputs: [1], steps: [] }))).message).toMatch(/float64.*astype\("float32"\)/);
    const inside = schedule({ buffers: vectors(1, 1), outputs: [0], steps: [map(1, 0, { op: "cast", dtype: "float32", x: constant("float64", 1) })] });
    expect(failure(() => gpu!.compile(inside)).message).toContain("float64");
  });

  const refused: [string, Step][] = [
    ["whileLoop", { kind: "while", condition: [], predicate: 0, body: [] }],
    ["cond", { kind: "branch", index: 0, branches: [[], []] }],
    ["fft", { kind: "routine", name: "fft", params: {}, inputs: [], outputs: [] }],
    ["igamma", map(4, 1, binary("igamma", load("float32", 0, along), load("float32", 0, along)))],
    ["polygamma", map(4, 1, binary("polygamma", load("float32", 0, along), load("float32", 0, along)))],
    ["exp", map(4, 1, unary("exp", load("int32", 0, along)))],
    ["whileLoop", { kind: "for", count: 2, reverse: false, counter: 1, body: [{ kind: "while", condition: [], predicate: 0, body: [] }] }],
  ];
  it.each(refused)("%s", (name, step) => {
    const e = failure(() => gpu!.compile(schedule({ buffers: vectors(2, 4), inputs: [0], outputs: [1], steps: [step] })));
    expect(e.parts.fn).toBe(name);
    expect(e.message).toContain('device "webgpu"');
    expect(e.message).toMatch(wayOut);
  });

  it("loops that are too long to write out", () => {
    const step: Step = { kind: "for", count: maxCommands, reverse: false, counter: 1, body: [map(4, 2, load("float32", 0, along))] };
    expect(failure(() => gpu!.compile(schedule({ buffers: [...vectors(1, 4), { dtype: "int32", size: 1 }, ...vectors(1, 4)], inputs: [0], outputs: [2], steps: [step] }))).message).toMatch(/for: .*more than 16384 commands/);
  });

  it("kernels over more arrays than it can bind", () => {
    const many = gpu!.device.limits.maxStorageBuffersPerShaderStage + 1;
    const sum = Array.from({ length: many - 1 }, (_, i) => load("float32", i + 1, along)).reduce((a, b) => binary("add", a, b), load("float32", 0, along));
    expect(failure(() => gpu!.compile(schedule({ buffers: vectors(many + 1, 4), inputs: Array.from({ length: many }, (_, i) => i), outputs: [many], steps: [map(4, many, sum)] }))).message).toMatch(/at most \d+ arrays in one kernel/);
  });

  it("arrays larger than its buffers, and arrays of other devices", () => {
    const limit = Math.min(gpu!.device.limits.maxBufferSize, gpu!.device.limits.maxStorageBufferBindingSize);
    const s = schedule({ buffers: [{ dtype: "float32", size: limit / 4 + 1 }], outputs: [0], steps: [map(1, 0, constant("float32", 1))] });
    expect(failure(() => gpu!.compile(s).run([])).message).toMatch(/at most \d+ bytes/);
    expect(failure(() => gpu!.compile(double(4)).run([referenceBackend.write("float32", x4)])).message).toMatch(/devicePut\(x, "webgpu"\)/);
    expect(failure(() => gpu!.compile(double(4)).run([])).message).toMatch(/1 arrays, got 0/);
  });
});

onGpu("errors of the device reach whoever reads", () => {
  it("a shader that does not compile, and all that depends on it", async () => {
    // An accumulator that the kernel does not have makes text that is no WGSL.
    const broken = schedule({ buffers: vectors(2, 4), inputs: [0], outputs: [1], steps: [kernel({ dims: [4], reduceDims: [1], accumulators: [{ op: "add", dtype: "float32", value: load("float32", 0, { offset: 0, strides: [1, 0] }) }], outputs: [{ buffer: 1, index: along, value: accumulator("float32", 1) }] })] });
    const x = gpu!.write("float32", x4);
    const [y] = gpu!.compile(broken).run([x]);
    const [z] = gpu!.compile(double(4)).run([y!]);
    const error = await gpu!.read(z!).then(() => undefined, (e: unknown) => e);
    expect(error).toBeInstanceOf(BackendError);
    expect((error as Error).message).toMatch(/reduce: .*validation error/);
    await expect(gpu!.read(y!)).rejects.toThrow(BackendError);
    // Neither the device nor its other arrays are harmed.
    expect(await gpu!.read(gpu!.compile(double(4)).run([x])[0]!)).toEqual(x4.map((v) => 2 * v));
  });

  it("a lost device: pending and later reads, writes and runs say so, and a new one can be had", async () => {
    const own = await openWebGPU();
    const executable = own.compile(double(4));
    const x = own.write("float32", x4);
    const [y] = executable.run([x]);
    own.destroy();
    await expect(own.read(y!)).rejects.toThrow(/destroyed device.*initWebGPU\(\) again/);
    expect(failure(() => own.write("float32", x4)).message).toContain("initWebGPU() again");
    expect(failure(() => executable.run([x])).message).toContain("initWebGPU() again");
    const fresh = await openWebGPU();
    expect(getBackend("webgpu")).toBe(fresh);
    expect((await execute(fresh, double(4), [x4]))[0]).toEqual(x4.map((v) => 2 * v));
    expect(failure(() => fresh.compile(double(4)).run([x])).message).toContain("initialised anew");
  });

  it("a device lost by itself", async () => {
    const own = await openWebGPU();
    const y = own.compile(double(4)).run([own.write("float32", x4)])[0]!;
    const reading = own.read(y);
    own.device.destroy();
    // The copy was queued before: it may still arrive; if not, the error is ours.
    await reading.then((v) => expect(v).toEqual(x4.map((e) => 2 * e)), (e: unknown) => expect(e).toBeInstanceOf(BackendError));
    await own.device.lost;
    await Promise.resolve();
    await expect(own.read(y)).rejects.toThrow(/lost device/);
  });

  it("no adapter", async () => {
    await expect(openWebGPU({ gpu: { requestAdapter: () => Promise.resolve(null) } })).rejects.toThrow(/initWebGPU: expected a WebGPU adapter, got none.*VK_ICD_FILENAMES/);
  });
});
