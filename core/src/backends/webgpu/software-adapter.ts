import { existsSync } from "node:fs";

/** Where systems keep the manifest of SwiftShader, a Vulkan driver in software: Debian's package `chromium`, and Chrome. */
const places = [
  "/usr/lib/chromium/vk_swiftshader_icd.json", "/usr/lib/chromium-browser/vk_swiftshader_icd.json", "/usr/lib64/chromium-browser/vk_swiftshader_icd.json",
  "/opt/google/chrome/vk_swiftshader_icd.json",
];

/**
 * Lets Dawn find a software adapter, so that WebGPU can be tested without a GPU: points `VK_ICD_FILENAMES` at SwiftShader where it is installed.
 * The Vulkan loader reads the process's environment, which a worker thread cannot change: call this on the main thread, before Dawn loads. A
 * driver chosen by the caller (`VK_ICD_FILENAMES` or `VK_DRIVER_FILES`) or `HESSIA_WEBGPU=hardware` stays as it is.
 * @returns the manifest in use, or undefined when the system's own drivers serve.
 */
export function useSoftwareAdapter(): string | undefined {
  const { env } = process;
  const chosen = env["VK_ICD_FILENAMES"] ?? env["VK_DRIVER_FILES"];
  if (chosen !== undefined || env["HESSIA_WEBGPU"] === "hardware") return chosen;
  const found = places.find((path) => existsSync(path));
  if (found !== undefined) env["VK_ICD_FILENAMES"] = found;
  return found;
}

/** Whether `HESSIA_REQUIRE` (a list with commas) names this part of the tests: then its absence is a failure. */
export const required = (part: string): boolean => (process.env["HESSIA_REQUIRE"] ?? "").split(/[\s,]+/).includes(part);
