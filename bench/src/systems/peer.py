"""NumPy or JAX behind the protocol of harness/protocol.ts.  peer.py {numpy|jax} THREADS"""
import json
import os
import resource
import sys
import time

SYSTEM, THREADS = sys.argv[1], int(sys.argv[2])
if THREADS == 1 and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # XLA has no switch for the number of its threads

import numpy as np

if SYSTEM == "jax":
    import jax
    import jax.numpy as jnp
    from jax import lax

    jax.config.update("jax_enable_x64", True)

MARK = "@@"
CHAIN, ITERATIONS, RATE = 1000, 10_000, 2e-4


class Unsupported(Exception):
    pass


def uniform(n, seed, dtype=np.float32):
    with np.errstate(over="ignore"):
        h = np.arange(n, dtype=np.uint32) + np.uint32((seed * 0x9E3779B1) & 0xFFFFFFFF)
        h ^= h >> 16
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> 13
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> 16
    return (h.astype(np.float64) / 4294967296).astype(dtype)


def centered(n, seed, dtype=np.float32, scale=1):
    # JavaScript rounds the uniform numbers first and computes the rest in double precision.
    return ((uniform(n, seed, dtype).astype(np.float64) - 0.5) * scale).astype(dtype)


def digest(values):
    flat = np.asarray(values).ravel()
    count = min(24, flat.size)
    return [float(flat[0 if count == 1 else k * (flat.size - 1) // (count - 1)]) for k in range(count)]


def one_hot(n, seed):
    return np.eye(10, dtype=np.float32)[np.floor(uniform(n, seed).astype(np.float64) * 10).astype(int)]


def dtype_of(params):
    return {"float32": np.float32, "float64": np.float64}[params["dtype"]]


class Prepared:
    def __init__(self, call, answer=digest):
        self.call, self.answer = call, answer

    def run(self):
        result = self.call()
        if SYSTEM == "jax":
            jax.block_until_ready(result)

    def digest(self):
        return self.answer(self.call())


class Stepping:
    """A training loop; every step reads the loss."""

    def __init__(self, step, start, checked=3):
        self.step, self.start, self.state, self.checked = step, start, start, checked

    def run(self):
        self.state, loss = self.step(self.state)
        jax.block_until_ready(self.state)
        float(loss)

    def digest(self):
        state, losses = self.start, []
        for _ in range(self.checked):
            state, loss = self.step(state)
            losses.append(float(loss))
        return losses


def needs_jax():
    if SYSTEM != "jax":
        raise Unsupported("has no derivatives")


def matmul(p):
    n, dtype = p["n"], dtype_of(p)
    a, b = centered(n * n, 1, dtype).reshape(n, n), centered(n * n, 2, dtype).reshape(n, n)
    if SYSTEM == "numpy":
        return Prepared(lambda: a @ b)
    a, b, f = jnp.asarray(a), jnp.asarray(b), jax.jit(lambda x, y: x @ y)
    return Prepared(lambda: f(a, b))


def products(p):
    spec, dtype = p["spec"], dtype_of(p)
    sizes = {s[0]: int(s[2:]) for s in p["sizes"].split()}
    terms, out = spec.split("->")[0].split(","), spec.split("->")[1]
    shapes = [tuple(sizes[c] for c in t) for t in terms]
    a = centered(int(np.prod(shapes[0])), 81, dtype).reshape(shapes[0])
    b = a if p["same"] else centered(int(np.prod(shapes[1])), 82, dtype).reshape(shapes[1])
    if SYSTEM == "jax":
        a, b = jnp.asarray(a), jnp.asarray(b)
        if p["same"]:
            g = jax.jit(lambda x: jnp.einsum(spec, x, x))
            return Prepared(lambda: g(a))
        f = jax.jit(lambda x, y: jnp.einsum(spec, x, y))
        return Prepared(lambda: f(a, b))
    plain = {"i,j->ij": lambda: np.outer(a, b), "bij,bj->bi": lambda: np.matvec(a, b), "ij,j->i": lambda: a @ b, "i,ij->j": lambda: a @ b, "i,i->": lambda: a @ b,
             "bhqk,bkhd->bqhd": lambda: (a @ b.swapaxes(1, 2)).swapaxes(1, 2)}
    if spec in plain:
        return Prepared(plain[spec])
    x = a if terms[0][-1] not in out else a.swapaxes(-1, -2)
    y = b if terms[1][-1] in out else b.swapaxes(-1, -2)
    return Prepared(lambda: x @ y)


def convolutions(p):
    if SYSTEM != "jax":
        raise Unsupported("has no convolution of images")
    if "op" in p:
        x, w = jnp.asarray(centered(4 * 56 * 56 * 64, 95).reshape(4, 56, 56, 64)), p["window"]
        most = lambda v: lax.reduce_window(v, -jnp.inf, lax.max, (1, w, w, 1), (1, 2, 2, 1), "VALID")
        mean = lambda v: lax.reduce_window(v, np.float32(0), lax.add, (1, w, w, 1), (1, 2, 2, 1), "VALID") / w**2
        f = jax.jit(most if p["op"] == "max" else mean)
        return Prepared(lambda: f(x))
    size, n, window, stride, groups = p["size"], -(-p["size"] // p["stride"]), p["window"], p["stride"], p["groups"]
    shapes = [(p["batch"], size, size, p["inputs"]), (window, window, p["inputs"] // groups, p["outputs"]), (p["batch"], n, n, p["outputs"])]
    x, k, t = (jnp.asarray(centered(int(np.prod(s)), 91 + i).reshape(s)) for i, s in enumerate(shapes))
    conv = lambda a, b: lax.conv_general_dilated(a, b, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=groups)
    if p["what"] == "forward":
        f = jax.jit(conv)
        return Prepared(lambda: f(x, k))
    g = jax.jit(jax.grad(lambda a, b, c: jnp.sum(conv(a, b) * c), argnums=0 if p["what"] == "input" else 1))
    return Prepared(lambda: g(x, k, t))


def fused(p):
    dtype = dtype_of(p)
    x = centered(p["n"], 3, dtype, 4)
    if SYSTEM == "numpy":
        return Prepared(lambda: np.sum(np.tanh(x) * np.exp(-x * x) + dtype(0.5) * x))
    x, f = jnp.asarray(x), jax.jit(lambda v: jnp.sum(jnp.tanh(v) * jnp.exp(-v * v) + 0.5 * v))
    return Prepared(lambda: f(x))


def reductions(p):
    x = centered(4096 * 1000, 4, np.float32, 8).reshape(4096, 1000)
    axis = None if p["axis"] == "all" else p["axis"]
    if SYSTEM == "jax":
        x = jnp.asarray(x)
        f = jax.jit(jax.nn.log_softmax if p["op"] == "logSoftmax" else lambda v: getattr(jnp, p["op"])(v, axis))
        return Prepared(lambda: f(x))
    if p["op"] == "logSoftmax":
        def log_softmax():
            shifted = x - x.max(1, keepdims=True)
            return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))

        return Prepared(log_softmax)
    f = getattr(x, p["op"])
    return Prepared(lambda: f(axis))


def indexing(p):
    op, axis, dtype = p["op"], p["axis"], dtype_of(p)
    x = centered(10**6, 21, dtype, 2)
    if p["shape"] == "matrix":
        x = x.reshape(1000, 1000)
    at = np.floor(uniform(len(x), 22, np.float64) * len(x)).astype(np.int32)
    if SYSTEM == "jax":
        x, at = jnp.asarray(x), jnp.asarray(at)
        forms = dict(take=lambda v, i: jnp.take(v, i, axis=0), add=lambda v, i: v.at[i].add(v))
        f = jax.jit(forms.get(op, lambda v, i: getattr(jnp, op)(v, axis=axis)))
        return Prepared(lambda: f(x, at))

    def add():
        y = x.copy()
        np.add.at(y, at, x)
        return y

    if op == "argsort":  # timed in whichever way is fastest, compared in the stable order
        return Prepared(lambda: np.argsort(x, axis), lambda _: digest(np.argsort(x, axis, kind="stable")))
    forms = dict(take=lambda: np.take(x, at, 0), add=add, sort=lambda: np.sort(x, axis))
    return Prepared(forms.get(op, lambda: np.cumsum(x, axis)))


def survey(p):
    n, dtype, op = p["n"], dtype_of(p), p["op"]
    rows = 2 if n == 10 else int(np.sqrt(n))
    x, y = centered(n, 31, dtype, 4), centered(n, 32, dtype, 4)
    positive = (uniform(n, 33, dtype).astype(np.float64) + 0.1).astype(dtype)
    matrix, column, row = x.reshape(rows, -1), x[:rows, None], y[: n // rows]
    if SYSTEM == "numpy" and p["mode"] == "jit":
        raise Unsupported("has no jit")
    m = np if SYSTEM == "numpy" else jnp
    copied = (lambda v: v.copy()) if SYSTEM == "numpy" else (lambda v: v)

    def softmax(v):
        e = m.exp(v - v.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    operations = {
        "remainder": (m.remainder, x, positive), "cube": (lambda v: v**3, x), "clip": (lambda v: m.clip(v, -1, 1), x), "where": (lambda a, b: m.where(a > 0, a, b), x, y),
        "column + row": (m.add, column, row), "transpose": (lambda v: copied(v.T), matrix), "concatenate": (lambda a, b: m.concatenate([a, b]), x, y), "repeat": (lambda v: m.repeat(v, 2), x), "roll": (lambda v: m.roll(v, 3), x),
        "pad": (lambda v: m.pad(v, 1), matrix), "every second": (lambda v: copied(v[::2]), x), "diff": (m.diff, x), "variance, axis 0": (lambda v: m.var(v, 0), matrix), "norm, axis 1": (lambda v: m.linalg.norm(v, axis=1), matrix),
        "softmax": (softmax if SYSTEM == "numpy" else jax.nn.softmax, matrix),
    }
    f, *operands = operations[op]
    if SYSTEM == "jax":
        operands = [jnp.asarray(v) for v in operands]
        f = jax.jit(f) if p["mode"] == "jit" else f
    return Prepared(lambda: f(*operands))


def dispatch(p):
    n = p["n"]
    x = uniform(max(1, n), 5).reshape((n,) if n else ())
    f = lambda v: v + np.float32(1)
    if SYSTEM == "numpy":
        if p["mode"] == "jit":
            raise Unsupported("has no jit")
        read = lambda y: y.item(0)
    else:
        x, read = jnp.asarray(x), np.asarray
        f = jax.jit(lambda v: v + 1) if p["mode"] == "jit" else lambda v: v + 1

    def call():
        y = f(x)
        if p["use"] == "chain":
            for _ in range(CHAIN - 1):
                y = f(y)
        return y

    prepared = Prepared(call)
    prepared.run = lambda: read(call())
    return prepared


def adam(loss, batch_arguments):
    def step(state):
        params, m, v, t = state
        value, g = jax.value_and_grad(loss)(params, *batch_arguments)
        t = t + 1
        m = [0.9 * a + 0.1 * c for a, c in zip(m, g)]
        v = [0.999 * a + 0.001 * c * c for a, c in zip(v, g)]
        c1, c2 = 1 - 0.9**t, 1 - 0.999**t
        params = [a - 1e-3 * (q / c1) / (jnp.sqrt(w / c2) + 1e-8) for a, q, w in zip(params, m, v)]
        return (params, m, v, t), value

    return step


def mlp(p):
    needs_jax()
    widths, batch = [784, 256, 128, 10], 128
    params = []
    for i in range(3):
        params += [jnp.asarray(centered(widths[i] * widths[i + 1], 10 + i, np.float32, 2 * np.sqrt(2 / widths[i])).reshape(widths[i], widths[i + 1])), jnp.zeros(widths[i + 1], jnp.float32)]
    x, y = jnp.asarray(uniform(batch * 784, 20).reshape(batch, 784)), jnp.asarray(one_hot(batch, 21))

    def loss(params, x, y):
        h = x
        for i in range(3):
            h = h @ params[2 * i] + params[2 * i + 1]
            if i < 2:
                h = jax.nn.relu(h)
        return -jnp.sum(jax.nn.log_softmax(h) * y) / batch

    zeros = [jnp.zeros_like(q) for q in params]
    step = lambda state, x, y: adam(loss, (x, y))(state)
    step = jax.jit(step) if p["mode"] == "jit" else step
    return Stepping(lambda state: step(state, x, y), (params, zeros, zeros, jnp.float32(0)))


def rosen(x):
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock(p):
    needs_jax()
    n, dtype = p["n"], dtype_of(p)
    x, v = jnp.asarray(uniform(n, 30, dtype)), jnp.asarray(centered(n, 31, dtype))
    f = {"grad": lambda x, v: jax.grad(rosen)(x), "hvp": lambda x, v: jax.jvp(jax.grad(rosen), (x,), (v,))[1], "hessian": lambda x, v: jax.hessian(rosen)(x)}[p["what"]]
    f = jax.jit(f) if p["mode"] == "jit" else f
    return Prepared(lambda: f(x, v))


def logistic(p):
    dtype = dtype_of(p)
    a = centered(200_000, 40, dtype, 2).reshape(1000, 200)
    y = np.where(uniform(1000, 41, dtype) < 0.5, dtype(-1), dtype(1))
    w = centered(200, 42, dtype, 0.2)
    if SYSTEM == "numpy":  # the closed form, by hand
        def closed():
            s = 1 / (1 + np.exp((a @ w) * y))
            return (a * (s * (1 - s))[:, None]).T @ a / dtype(1000)

        return Prepared(closed)
    a, y, w = map(jnp.asarray, (a, y, w))
    f = jax.jit(jax.hessian(lambda w: jnp.mean(jax.nn.softplus(-(a @ w) * y))))
    return Prepared(lambda: f(w))


def cnn(p):
    needs_jax()
    batch = 64
    zeros = lambda *s: jnp.zeros(s, jnp.float32)
    params = [jnp.asarray(centered(144, 50, np.float32, 2 / 3).reshape(16, 1, 3, 3)), zeros(16, 1, 1), jnp.asarray(centered(4608, 51, np.float32, 2 / 12).reshape(32, 16, 3, 3)), zeros(32, 1, 1), jnp.asarray(centered(15680, 52, np.float32, 2 / 40).reshape(1568, 10)), zeros(10)]
    x, y = jnp.asarray(uniform(batch * 784, 53).reshape(batch, 1, 28, 28)), jnp.asarray(one_hot(batch, 54))
    conv = lambda x, k: lax.conv_general_dilated(x, k, (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))
    pool = lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")

    def loss(ps, x, y):
        h = pool(jax.nn.relu(conv(x, ps[0]) + ps[1]))
        h = pool(jax.nn.relu(conv(h, ps[2]) + ps[3])).reshape(batch, 1568)
        return -jnp.sum(jax.nn.log_softmax(h @ ps[4] + ps[5]) * y) / batch

    if p["what"] == "forward":
        f = jax.jit(loss)
        return Prepared(lambda: f(params, x, y))

    @jax.jit
    def step(ps, x, y):
        value, g = jax.value_and_grad(loss)(ps, x, y)
        return [a - 0.05 * c for a, c in zip(ps, g)], value

    return Stepping(lambda ps: step(ps, x, y), params)


def linalg(p):
    n, op = p["n"], p["op"]
    a, b = centered(n * n, 60, np.float64).reshape(n, n), centered(n, 61, np.float64)
    s = a @ a.T / n + np.eye(n)

    def eigen(result):
        w, v = np.asarray(result[0]), np.asarray(result[1])
        columns = sorted({*range(0, n, 16), n - 1})
        residual = np.abs(s @ v[:, columns] - v[:, columns] * w[columns]).max()
        return [float((w**k).sum()) for k in (1, 2, 3)] + [float(residual)]

    def singular(result):
        u, sigma, vt = map(np.asarray, result)
        rows = sorted({*range(0, n, 16), n - 1})
        return [float((sigma**k).sum()) for k in (2, 4)] + [float(np.abs(a0.T @ u[:, rows] - (sigma[rows, None] * vt[rows]).T).max())]

    a0 = a
    answer = {"svd": singular, "qr": lambda y: digest(np.abs(np.asarray(y[1]))), "eigh": eigen}.get(op, digest)
    if SYSTEM == "numpy":
        return Prepared({"cholesky": lambda: np.linalg.cholesky(s), "solve": lambda: np.linalg.solve(a, b), "qr": lambda: np.linalg.qr(a), "eigh": lambda: np.linalg.eigh(s), "svd": lambda: np.linalg.svd(a)}[op], answer)
    a, b, s_ = jnp.asarray(a), jnp.asarray(b), jnp.asarray(s)
    f = jax.jit(getattr(jnp.linalg, op))
    arguments = (a, b) if op == "solve" else (a,) if op in ("qr", "svd") else (s_,)
    return Prepared(lambda: f(*arguments), answer)


def lstm(p):
    needs_jax()
    hidden, steps, batch = 128, 500, p["batch"]
    params = tuple(map(jnp.asarray, (centered(hidden * 4 * hidden, 70, np.float32, 0.2).reshape(hidden, -1), centered(hidden * 4 * hidden, 71, np.float32, 0.2).reshape(hidden, -1), centered(4 * hidden, 72, np.float32, 0.2))))
    xs = jnp.asarray(centered(steps * batch * hidden, 73, np.float32, 2).reshape(steps, batch, hidden))
    along = (centered(hidden * 4 * hidden, 74), centered(hidden * 4 * hidden, 75), centered(4 * hidden, 76))

    def loss(params, xs):
        wx, wh, b = params

        def cell(state, x):
            h, c = state
            i, f, g, o = jnp.split(x @ wx + h @ wh + b, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((batch, hidden), jnp.float32)
        return jnp.mean(jnp.square(lax.scan(cell, (zero, zero), xs)[1]))

    f = jax.jit(jax.value_and_grad(loss))
    answer = lambda y: [float(y[0]), float(sum(np.dot(np.asarray(g, np.float64).ravel(), d.astype(np.float64)) for g, d in zip(y[1], along)))]
    return Prepared(lambda: f(params, xs), answer)


def descent(p):
    needs_jax()
    x = jnp.asarray(uniform(p["n"], 30, np.float64))
    f = jax.jit(lambda x: lax.while_loop(lambda s: s[0] < ITERATIONS, lambda s: (s[0] + 1, s[1] - RATE * jax.grad(rosen)(s[1])), (0, x))[1])
    return Prepared(lambda: f(x))


TASKS = dict(matmul=matmul, fused=fused, reductions=reductions, dispatch=dispatch, mlp=mlp, rosenbrock=rosenbrock, logistic=logistic, cnn=cnn, linalg=linalg, lstm=lstm, descent=descent, indexing=indexing, products=products, convolutions=convolutions, survey=survey)


def elapsed(run, calls):
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) * 1e3


def samples(run, milliseconds, largest=400):
    """As harness/timing.ts."""
    start = time.perf_counter()
    over = lambda: (time.perf_counter() - start) * 1e3 >= milliseconds
    once, calls = elapsed(run, 1), 1
    out = [once] if once >= 0.5 else []
    while once < 1 and not over():
        calls = int(np.ceil(calls * min(10, max(2, 1 / max(once, 1e-4)))))
        once = elapsed(run, calls)
    while len(out) < largest and (not out or not over()):
        out.append(elapsed(run, calls) / calls)
    return out


def memory(mode, calls, seconds):
    n = {"step": 1_250_000, "small": 10, "large": 10_000}[mode]
    xp = np if SYSTEM == "numpy" else jnp
    state = [xp.ones(n)]
    step = (lambda x: x - x * 1e-6) if SYSTEM == "numpy" else jax.jit(lambda x: x - x * 1e-6)

    def call():
        if mode == "step":
            state[0] = step(state[0])
        else:
            state[0] + 1

    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    begin, start, done = peak(), time.perf_counter(), 0
    while done < calls and time.perf_counter() - start < seconds:
        call()
        done += 1
    answer = dict(done=done, startBytes=begin, peakBytes=peak(), microseconds=(time.perf_counter() - start) * 1e6 / max(1, done))
    return answer if done == calls else dict(answer, stopped="time over")


prepared = None


def answer(request):
    global prepared
    op = request["op"]
    if op == "hello":
        versions = {"python": sys.version.split()[0], "numpy": np.__version__}
        if SYSTEM == "jax":
            versions["jax"] = jax.__version__
        return dict(versions=versions, relaxedSimd=False)
    if op == "prepare":
        prepared = None
        prepared = TASKS[request["task"]](request["params"])
        first, second = elapsed(prepared.run, 1), elapsed(prepared.run, 1)
        return dict(first=first, second=second, digest=prepared.digest())
    if op == "measure":
        return dict(samples=samples(prepared.run, request["milliseconds"]))
    if op == "memory":
        return memory(request["mode"], request["calls"], request["seconds"])
    prepared = None
    return {}


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:  # every failure is an answer
        reply = dict(error=f"{type(error).__name__}: {error}".splitlines()[0][:300], unsupported=isinstance(error, Unsupported))
        if isinstance(error, Unsupported):
            reply["error"] = str(error)
    print(MARK + json.dumps(reply), flush=True)
