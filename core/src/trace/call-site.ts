/** The stack at this moment. Turning it into text is what costs, and is left until somebody asks. */
export function captureStack(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 40;
  const captured = new Error();
  Error.stackTraceLimit = limit;
  return captured;
}

/** First frame of a captured stack outside Hessia's own packages: the user's line. */
export function callSite(captured: Error): string | undefined {
  const frames = captured.stack?.split("\n").slice(1) ?? [];
  const user = frames.find((line) => !/[\\/](core|autodiff|linalg|nn|optim)[\\/](src|dist)[\\/](?!.*\.test\.)/.test(line) && !/[\\/]@hessia[\\/]/.test(line) && !line.includes("node:internal") && !line.includes("<anonymous>)"));
  return user?.replace(/^\s*at\s+/, "");
}
