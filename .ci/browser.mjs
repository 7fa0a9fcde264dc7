// Bundles a small program from the built packages as a web page would, and runs it in headless Chromium.
// Without Chromium: fails where HESSIA_REQUIRE names `browser`, else says that it did not run.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { requireBuilt, root } from "./packages.mjs";

requireBuilt();
const candidates = [process.env.HESSIA_CHROMIUM, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].filter(Boolean);
const chromium = candidates.find((name) => spawnSync(name, ["--version"]).status === 0);
if (chromium === undefined) {
  const required = (process.env.HESSIA_REQUIRE ?? "").split(",").includes("browser");
  console.error(`No Chromium found (tried ${candidates.join(", ")}): the browser check did not run.${required ? " It was required." : ""}`);
  process.exit(required ? 1 : 0);
}

const bundled = await build({ entryPoints: [join(root, ".ci/consumer/main.ts")], bundle: true, write: false, format: "esm", platform: "browser", target: "es2022", external: ["webgpu", "node:*"], logLevel: "warning", nodePaths: [join(root, "node_modules")] });
const page = `<!doctype html><meta charset="utf-8"><script type="module">
const said = [];
for (const level of ["log", "error"]) console[level] = (...words) => said.push(words.join(" "));
const tell = (ok) => fetch("/result", { method: "POST", body: JSON.stringify({ ok, said: said.join("\\n") }) });
addEventListener("error", (event) => { said.push(String(event.error?.stack ?? event.message)); tell(false); });
import("/main.js").then(() => tell(true), (error) => { said.push(String(error?.stack ?? error)); tell(false); });
</script>`;

const result = await new Promise((resolve) => {
  const server = createServer((request, response) => {
    // Cross-origin isolation, so that shared memory and threads are there as they would be in a page that wants them.
    const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
    if (request.url === "/result") {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        response.end();
        finish(JSON.parse(body));
      });
    } else if (request.url === "/main.js") response.writeHead(200, { ...headers, "Content-Type": "text/javascript" }).end(bundled.outputFiles[0].text);
    else response.writeHead(200, { ...headers, "Content-Type": "text/html" }).end(page);
  });
  const profile = mkdtempSync(join(tmpdir(), "hessia-chromium-"));
  let browser;
  const timer = setTimeout(() => finish({ ok: false, said: "Chromium gave no answer within 60 s." }), 60_000);
  function finish(answer) {
    clearTimeout(timer);
    browser?.once("exit", () => {
      try {
        rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
      } catch (error) {
        // A profile left behind among the temporary files says nothing about the page.
        console.warn(`The profile stays at ${profile}: ${error}`);
      }
    });
    // The whole process group: Chromium's children would outlive it and go on writing to the profile.
    if (browser?.pid) process.kill(-browser.pid, "SIGKILL");
    server.closeAllConnections();
    server.close();
    resolve(answer);
  }
  server.listen(0, "127.0.0.1", () => {
    const flags = ["--headless=new", "--no-sandbox", "--disable-gpu-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", `--user-data-dir=${profile}`, "--no-first-run"];
    browser = spawn(chromium, [...flags, `http://127.0.0.1:${server.address().port}/`], { stdio: "ignore", detached: true });
    browser.on("error", (error) => finish({ ok: false, said: String(error) }));
  });
});
console.log(`${result.ok ? "ok" : "FAILED"}  .ci/consumer/main.ts in ${chromium}: ${result.said}`);
process.exitCode = result.ok ? 0 : 1;
