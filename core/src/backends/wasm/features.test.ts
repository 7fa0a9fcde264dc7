import { describe, expect, it } from "vitest";
import { keepsOrder, revectorizes } from "./features.js";

describe("hints about the compiler", () => {
  it("revectorization is found among the flags of the process and of its environment", () => {
    expect(revectorizes({})).toBe(false);
    expect(revectorizes({ process: { execArgv: ["--no-warnings"], env: { NODE_OPTIONS: "--max-old-space-size=99" } } })).toBe(false);
    expect(revectorizes({ process: { execArgv: ["--experimental_wasm_revectorize"] } })).toBe(true);
    expect(revectorizes({ process: { env: { NODE_OPTIONS: "--no-warnings --experimental-wasm-revectorize" } } })).toBe(true);
  });
  it("old V8 moves loads; new V8 and unknown engines do not", () => {
    expect(keepsOrder({ process: { versions: { v8: "11.3.244.8-node.38" } } })).toBe(false);
    expect(keepsOrder({ process: { versions: { v8: "12.4.254.21" } } })).toBe(false);
    expect(keepsOrder({ process: { versions: { v8: "13.6.233.17" } } })).toBe(true);
    expect(keepsOrder({})).toBe(true);
  });
});
