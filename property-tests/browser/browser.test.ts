import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";

const here = fileURLToPath(new URL("./", import.meta.url));
const chromium = [process.env["HESSIA_CHROMIUM"], "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].find((name) => name !== undefined && spawnSync(name, ["--version"]).status === 0);
if (chromium === undefined) {
  if ((process.env["HESSIA_REQUIRE"] ?? "").includes("browser")) throw new Error("HESSIA_REQUIRE names browser, and no Chromium was found");
  console.warn("browser: no Chromium here; not covered: the bundle in a page, and WebGPU through navigator.gpu");
}

/** WebGPU on SwiftShader, and nothing that calls out. */
const flags = [
  "--headless=new", "--no-sandbox", "--disable-gpu-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
];

let browser: ChildProcess | undefined;
let server: Server | undefined;
const profile = mkdtempSync(join(tmpdir(), "hessia-page-"));
afterAll(async () => {
  if (browser && browser.exitCode === null) {
    const exited = new Promise((resolve) => browser!.once("exit", resolve));
    // The whole process group: Chromium's children would outlive it by a moment and go on writing to the profile.
    process.kill(-browser.pid!, "SIGKILL");
    await exited;
  }
  server?.closeAllConnections();
  server?.close();
  try {
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  } catch (e) {
    // A profile left behind among the temporary files says nothing about the page.
    console.warn(`browser: the profile stays at ${profile}: ${String(e)}`);
  }
});

async function bundle(): Promise<string> {
  const root = join(here, "../..");
  const result = await build({ entryPoints: [join(here, "page.ts")], bundle: true, write: false, format: "esm", platform: "browser", target: "es2022", alias: { "@hessia/core": join(root, "core/src/index.ts") }, external: ["node:*"], logLevel: "silent" });
  expect(result.warnings).toEqual([]);
  return result.outputFiles[0]!.text;
}

/** Serves the page, opens it in Chromium, and waits for what the page posts back. */
function visit(script: string): Promise<{ value?: Record<string, unknown>; error?: string }> {
  return new Promise((resolve, reject) => {
    server = createServer((request, response) => {
      const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
      if (request.url === "/answer") {
        let body = "";
        request.on("data", (chunk) => (body += String(chunk)));
        request.on("end", () => { response.end(); resolve(JSON.parse(body) as { value?: Record<string, unknown>; error?: string }); });
      } else if (request.url === "/page.js") response.writeHead(200, { ...headers, "Content-Type": "text/javascript" }).end(script);
      else response.writeHead(200, { ...headers, "Content-Type": "text/html" }).end('<!doctype html><meta charset="utf-8"><script>addEventListener("error", (e) => fetch("/answer", { method: "POST", body: JSON.stringify({ error: e.message }) }));</script><script type="module" src="/page.js"></script>');
    });
    server.listen(0, "127.0.0.1", () => {
      browser = spawn(chromium!, [...flags, `--user-data-dir=${profile}`, `http://127.0.0.1:${(server!.address() as AddressInfo).port}/`], { stdio: "ignore", detached: true });
      browser.on("error", reject);
      browser.on("exit", (code) => reject(new Error(`Chromium ended with ${code}`)));
    });
  });
}

describe.skipIf(chromium === undefined)("a page in Chromium", () => {
  it("adds on the CPU, and runs a kernel, a reduction and a product on the GPU", async () => {
    const answer = await visit(await bundle());
    expect(answer.error).toBeUndefined();
    expect(answer.value).toMatchObject({ dtype: "float64", sum: [11, 12, 13], gpuDevice: "webgpu", gpuSum: [3, 5, 7, 9], gpuTotal: [10], gpuProduct: [7, 10, 15, 22] });
    expect(answer.value!["device"]).toBe("wasm");
    expect(answer.value!["float64"]).toMatch(/float64/);
  });
});
