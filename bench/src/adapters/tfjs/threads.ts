import { writeFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Untyped } from "../untyped.js";

const require = createRequire(import.meta.url);

/** Lets the pthreads of tfjs start in Node, whose workers take no blob: URLs: each blob becomes a file. */
export function allowThreads(): void {
  const workers = require("node:worker_threads") as Untyped;
  const PlainBlob = globalThis.Blob;
  const sources = new WeakMap<Blob, string>();
  let count = 0;
  class KeptBlob extends PlainBlob {
    constructor(parts: BlobPart[] = [], options?: BlobPropertyBag) {
      super(parts, options);
      sources.set(this, parts.join(""));
    }
  }
  const prelude = "var require$$0=require('fs'),require$$1=require('path'),require$$3=require('perf_hooks'),require$$4=require('os');var commonjsGlobal=globalThis;\n";
  const fileOf = (blob: Blob): string => {
    const file = join(tmpdir(), `tfjs-worker-${process.pid}-${count++}.cjs`);
    const source = sources.get(blob)!;
    writeFileSync(file, (source.startsWith("var Wasm") ? prelude : "") + source);
    process.on("exit", () => { rmSync(file, { force: true }); });
    return file;
  };
  (globalThis as Untyped).Blob = KeptBlob;
  URL.createObjectURL = (blob) => fileOf(blob as Blob);
  workers.Worker = class extends workers.Worker {
    postMessage(message: Untyped, transfer: Untyped): void {
      super.postMessage(message?.urlOrBlob instanceof PlainBlob ? { ...message, urlOrBlob: fileOf(message.urlOrBlob) } : message, transfer);
    }
  };
}
