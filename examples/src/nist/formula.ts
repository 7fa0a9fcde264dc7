import { type NDArray, np } from "@hessia/core";

type Value = NDArray | number;
type Environment = Readonly<Record<string, Value>>;
type Node = (env: Environment) => Value;

const functions: Readonly<Record<string, (x: Value) => NDArray>> = { exp: np.exp, log: np.log, sin: np.sin, cos: np.cos, arctan: np.arctan };

/** Compiles a formula as NIST prints it (`b1*(1-exp(-b2*x))`, `**` for powers) into a function of its variables, by recursive descent. */
export function compileFormula(source: string): (env: Environment) => NDArray {
  const tokens = source.match(/\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[A-Za-z_]\w*|\*\*|[-+*/()]/g) ?? [];
  let at = 0;
  const fail = (expected: string): never => {
    throw new SyntaxError(`formula "${source}": expected ${expected}, got ${tokens[at] ?? "the end"}`);
  };
  const accept = (token: string) => tokens[at] === token && ++at > 0;
  const expect = (token: string) => accept(token) || fail(token);

  function primary(): Node {
    const token = tokens[at++] ?? fail("a value");
    if (token === "(") {
      const inner = sum();
      expect(")");
      return inner;
    }
    if (/^[\d.]/.test(token)) return () => Number(token);
    if (token === "pi") return () => Math.PI;
    if (!accept("(")) return (env) => env[token] ?? fail(`a known variable instead of ${token}`);
    const f = functions[token] ?? fail(`a known function instead of ${token}`);
    const argument = sum();
    expect(")");
    return (env) => f(argument(env));
  }
  function power(): Node {
    const base = primary();
    if (!accept("**")) return base;
    const exponent = signed();
    return (env) => np.power(base(env), exponent(env));
  }
  function signed(): Node {
    if (accept("+")) return signed();
    if (!accept("-")) return power();
    const x = signed();
    return (env) => {
      const v = x(env);
      return typeof v === "number" ? -v : np.negative(v);
    };
  }
  function product(): Node {
    let left = signed();
    for (;;) {
      const [a, f] = [left, accept("*") ? np.multiply : accept("/") ? np.divide : undefined];
      if (!f) return left;
      const b = signed();
      left = (env) => f(a(env), b(env));
    }
  }
  function sum(): Node {
    let left = product();
    for (;;) {
      const [a, f] = [left, accept("+") ? np.add : accept("-") ? np.subtract : undefined];
      if (!f) return left;
      const b = product();
      left = (env) => f(a(env), b(env));
    }
  }
  const root = sum();
  if (at !== tokens.length) fail("the end");
  return (env) => np.asarray(root(env));
}
