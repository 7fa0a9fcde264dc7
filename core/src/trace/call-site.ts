/** First stack frame outside Hessia's own packages: the user's line. */
export function callSite(): string | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 40;
  const stack = new Error().stack;
  Error.stackTraceLimit = limit;
  const frames = stack?.split("\n").slice(1) ?? [];
  const user = frames.find((line) => !/[\\/](core|autodiff|linalg|nn|optim)[\\/](src|dist)[\\/](?!.*\.test\.)/.test(line) && !/[\\/]@hessia[\\/]/.test(line) && !line.includes("node:internal"));
  return user?.replace(/^\s*at\s+/, "");
}
