import type { NDArray } from "@hessia/core";

/** A function, or a module of functions, of a library. Formulas are written against names that may not exist yet. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- names are looked up when the formula runs; a missing one is reported, not compiled against
export type Names = any;
export interface Libraries { readonly np: Names; readonly lax: Names; readonly special: Names; readonly linalg: Names; readonly nn: Names; readonly grad: Names; readonly vmap: Names; readonly scan: Names; readonly cond: Names }

type Inputs = Readonly<Record<string, NDArray>>;
export type Formula = (x: Inputs, l: Libraries) => NDArray;

const f = (g: (x: NDArray, l: Libraries) => NDArray): Formula => ({ x }, l) => g(x!, l);
const xy = (g: (x: NDArray, y: NDArray, l: Libraries) => NDArray): Formula => ({ x, y }, l) => g(x!, y!, l);
const matrix = (g: (a: NDArray, l: Libraries) => NDArray): Formula => ({ A }, l) => g(A!, l);

/** The formulas of the derivative cases, in our own names. */
export const formulas: Readonly<Record<string, Formula>> = {
  log1p_small: f((x, { np }) => np.log1p(x)),
  tanh_mid: f((x, { np }) => np.tanh(x).pow(3)),
  softplus_pos: f((x, { np }) => np.logaddexp(x, 0)),
  pow_frac: f((x) => x.pow(3.7)),
  pow_negint_base: f((x) => x.pow(3)),
  arcsin_near1: f((x, { np }) => np.arcsin(x)),
  arctan_big: f((x, { np }) => np.arctan(x)),
  arcsinh: f((x, { np }) => np.arcsinh(x)),
  log2_exp2: f((x, { np }) => np.log2(x).mul(np.exp2(x)).add(np.log10(x))),
  lgamma: f((x, { special }) => special.gammaln(x)),
  digamma: f((x, { special }) => special.digamma(x)),
  ndtri: f((x, { special }) => special.ndtri(x)),
  i0: f((x, { special }) => special.i0(x)),
  sinh_cosh: f((x, { np }) => np.sinh(x).div(np.cosh(x.mul(2)))),
  ...Object.fromEntries([0, 4, 5, 6].map((k) => [`atan2_${k}`, xy((x, y, { np }) => np.arctan2(y, x))])),
  hypot: xy((x, y, { np }) => np.hypot(x, y)),
  logaddexp2: xy((x, y, { np }) => np.logaddexp(x, y).sub(np.logaddexp2(x, y))),
  logaddexp_big: xy((x, y, { np }) => np.logaddexp(x, y)),
  betaln: xy((x, y, { special }) => special.betaln(x, y)),
  gammainc_x: ({ a, x }, { special }) => special.gammainc(a, x),
  fmod: xy((x, y, { np }) => np.fmod(x, y)),
  sphere_norm4: f((x, { np }) => np.sum(x.pow(2)).pow(2)),
  bcast_scalar: ({ a, m }, { np }) => a!.mul(m!).add(np.exp(a)),
  var_ddof1: f((x, { np }) => np.var(x, null, { ddof: 1 })),
  average_w: ({ x, w }, { np }) => np.average(x, null, { weights: w }),
  ...Object.fromEntries(["prod_nozero", "prod_one_zero", "prod_all_zero"].map((id) => [id, f((x, { np }) => np.prod(x))])),
  ...Object.fromEntries(["cumprod", "cumprod_zero"].map((id) => [id, f((x, { np }) => np.cumprod(x))])),
  cumlogsumexp: f((x, { lax }) => lax.cumlogsumexp(x)),
  ...Object.fromEntries(["logsumexp_big", "logsumexp_-inf_entry"].map((id) => [id, f((x, { special }) => special.logsumexp(x))])),
  ...Object.fromEntries(["softmax_big", "softmax_-inf_entry"].map((id) => [id, f((x, { nn }) => nn.softmax(x))])),
  xent_onehot: ({ t, z }, { np, nn }) => np.sum(t!.mul(nn.logSoftmax(z, -1))).neg(),
  norm2: f((x, { linalg }) => linalg.norm(x)),
  norm_nuc: f((x, { linalg }) => linalg.norm(x, "nuc")),
  norm_spectral: f((x, { linalg }) => linalg.norm(x, 2)),
  max_axis: f((x, { np }) => np.max(x, 0)),
  sort: f((x, { np }) => np.sort(x).mul(np.array([1, 2, 3, 4, 5]))),
  argsort_gather: f((x, { np }) => np.take(x, np.argsort(x.neg())).pow(2)),
  percentile30: f((x, { np }) => np.percentile(x, 30)),
  where_double: f((x, { np }) => np.where(x.gt(0), np.sqrt(np.where(x.gt(0), x, 1)), 0)),
  trapezoid: xy((x, y, { np }) => np.trapezoid(y, x)),
  interp: ({ t, xp, fp }, { np }) => np.interp(t, xp, fp),
  diff2: f((x, { np }) => np.diff(x, 2).pow(2)),
  nansum: f((x, { np }) => np.nansum(x.pow(2))),
  ifft_filter: ({ x, h }, { np }) => np.fft.irfft(np.multiply(np.fft.rfft(x), h), 6),
  stack_split: f((x, { np }) => {
    const [p, q] = np.split(x, 2) as [NDArray, NDArray];
    return np.stack([p.mul(q), p.add(q)], 1);
  }),
  tile_repeat: f((x, { np }) => np.tile(x, 2).mul(np.repeat(x, 2))),
  flip_strided: f((x) => x.get("::-2").mul(x.get("1::2"))),
  pad_edge: f((x, { np }) => np.pad(x, [[1, 0], [0, 2]], "edge")),
  tril: f((x, { np }) => np.matmul(np.tril(x), np.triu(x, 1))),
  kron: ({ a, b }, { np }) => np.kron(a, b),
  gather_dup: f((x) => x.get([0, 2, 2, -1]).pow(2)),
  take_along: f((x, { np }) => np.takeAlongAxis(x, np.array([[2, 0], [1, 1]], { dtype: "int32" }), 1)),
  scatter_add_dup: xy((x, y) => x.at([0, 1, 1, 3]).add(y)),
  scatter_max: xy((x, y) => x.at([0, 1, 1]).max(y)),
  gather_oob_clip: f((x, { np }) => np.take(x, np.array([0, 7], { dtype: "int32" }), null, { mode: "clip" })),
  dot_vv: ({ a, b }, { np }) => np.dot(a, b).pow(2),
  mat_vec: ({ A, x }, { np }) => np.matmul(A, x),
  einsum_trace: f((x, { np }) => np.einsum("ii->", x).pow(2)),
  einsum_repeat: matrix((A, { np }) => np.einsum("ij,ij->j", A, A)),
  tensordot: ({ A, B }, { np }) => np.tensordot(A, B, [[1, 0], [0, 1]]),
  conv2d_group: ({ x, w }, { lax }) => lax.convGeneralDilated(x, w, [1, 1], "VALID", { featureGroupCount: 2 }),
  conv2d_transpose: ({ x, w }, { lax }) => lax.convTranspose(x, w, [2, 2], "VALID", { dimensionNumbers: ["NHWC", "HWIO", "NHWC"] }),
  avgpool3: f((x, { lax }) => lax.reduceWindow(x, 0, "add", [3], { windowStrides: [1], padding: "SAME" }).div(3)),
  cholesky: matrix((A, { linalg }) => linalg.cholesky(A)),
  logdet_chol: matrix((A, { np, linalg }) => np.sum(np.log(np.diag(linalg.cholesky(A)))).mul(2)),
  det4: matrix((A, { linalg }) => linalg.det(A)),
  batch_det: matrix((A, { linalg }) => linalg.det(A)),
  qr_absR: matrix((A, { np, linalg }) => np.abs(qrOf(linalg.qr(A))[1])),
  qr_proj: ({ A, b }, { np, linalg }) => {
    const [Q] = qrOf(linalg.qr(A));
    return np.matmul(Q, np.matmul(Q.T, b));
  },
  svd_lowrank: matrix((A, { np, linalg }) => {
    const [U, s, Vt] = svdOf(linalg.svd(A, { fullMatrices: false }));
    return s.get(0).mul(np.outer(U.get(":", 0), Vt.get(0)));
  }),
  eigh_fun: matrix((A, { np, linalg }) => {
    const [w, V] = eighOf(linalg.eigh(A));
    return np.matmul(np.matmul(V, np.diag(np.sqrt(w))), V.T);
  }),
  expm_trace: matrix((A, { np, linalg }) => np.trace(linalg.expm(np.matmul(A, A.T).mul(0.3)))),
  matrix_power: matrix((A, { linalg }) => linalg.matrixPower(A, 3)),
  svdvals_repeated: matrix((A, { linalg }) => linalg.svdvals(A)),
  logreg_nll: ({ X, w, t }, { np }) => np.sum(np.logaddexp(0, t!.neg().mul(np.matmul(X, w)))).add(np.sum(w!.pow(2)).mul(0.05)),
  layernorm: ({ x, g, b }, { np }) => {
    const m = np.mean(x, -1, { keepdims: true });
    const v = np.var(x, -1, { keepdims: true });
    return x!.sub(m).div(np.sqrt(v.add(1e-5))).mul(g!).add(b!);
  },
  rnn_scan: ({ W, U, h0, xs }, { np, scan }) => {
    const [last] = scan((h: NDArray, x: NDArray) => {
      const next = np.tanh(np.matmul(W, h).add(U!.mul(x)));
      return [next, next];
    }, h0, xs);
    return np.sum(last.pow(2));
  },
  rk4_lorenz: ({ s0 }, { np }) => {
    const slope = (v: NDArray): NDArray => {
      const [x, y, z] = [v.get(0), v.get(1), v.get(2)];
      return np.stack([y.sub(x).mul(10), x.mul(np.subtract(28, z)).sub(y), x.mul(y).sub(z.mul(8 / 3))]);
    };
    let s = s0!;
    for (let i = 0; i < 10; i++) {
      const k1 = slope(s);
      const k2 = slope(s.add(k1.mul(0.005)));
      const k3 = slope(s.add(k2.mul(0.005)));
      const k4 = slope(s.add(k3.mul(0.01)));
      s = s.add(k1.add(k2.mul(2)).add(k3.mul(2)).add(k4).mul(0.01 / 6));
    }
    return s;
  },
  cond_branch: f((x, { np, cond }) => cond(x.get(0).gt(0), (v: NDArray) => np.sum(v.pow(3)), (v: NDArray) => np.prod(v), x)),
  nested_vmap: f((x, { np, vmap }) => vmap((r: NDArray) => vmap((e: NDArray) => np.sin(e).mul(np.sum(r.pow(2))))(r))(x)),
  inner_grad: f((x, { np, grad }) => np.sum(grad((v: NDArray) => np.sum(np.sin(v).pow(2).mul(v.get("::-1"))))(x).pow(2))),
  sqrt_0: f((x, { np }) => np.sqrt(x)),
  sum_sqrt_sq_0: f((x, { np }) => np.sqrt(np.sum(x.pow(2)))),
  hypot_0: xy((x, y, { np }) => np.hypot(x, y)),
  minimum_tie: xy((x, y, { np }) => np.minimum(x, y)),
  min_ties_axis: f((x, { np }) => np.min(x, 1)),
  sort_ties: f((x, { np }) => np.sort(x)),
  argmax_gather: f((x, { np }) => np.take(x, np.argmax(x))),
  cummax_ties: f((x, { lax }) => lax.cummax(x)),
  topk_ties: f((x, { lax }) => lax.topK(x, 2)[0]),
  ...Object.fromEntries(["pow_0_1", "pow_neg_3f"].map((id) => [id, xy((x, y) => x.pow(y))])),
  pow_int1: f((x) => x.pow(1)),
  pow_int2: f((x) => x.pow(2)),
  "pow_const_2.0": f((x, { np }) => x.pow(np.array(2))),
  recip_0: f((x, { np }) => np.divide(1, x)),
  div_0_0: xy((x, y) => x.div(y)),
  xlogx_0: f((x, { np }) => x.mul(np.log(x))),
  xlogy_00: xy((x, y, { special }) => special.xlogy(x, y)),
  arcsin_1: f((x, { np }) => np.arcsin(x)),
  arccosh_1: f((x, { np }) => np.arccosh(x)),
  arctanh_1: f((x, { np }) => np.arctanh(x)),
  var_const: f((x, { np }) => np.var(x)),
  max_nan: f((x, { np }) => np.max(x)),
  hard_tanh_sig: f((x, { nn }) => nn.hardTanh(x).add(nn.hardSigmoid(x))),
  remainder_exact: xy((x, y, { np }) => np.remainder(x, y)),
  huber_kink: f((x, { np }) => {
    const a = np.abs(x);
    return np.where(a.le(1), x.pow(2).mul(0.5), a.sub(0.5));
  }),
  norm1_0: f((x, { linalg }) => linalg.norm(x, 1)),
  norminf_tie: f((x, { linalg }) => linalg.norm(x, Infinity)),
  unwrap_mod1: f((x, { np }) => x.sub(np.floor(x))),
};

/** Results of factorizations as tuples, whether they come as such or with named fields. */
const tuple = (r: Names, ...names: readonly (readonly string[])[]): NDArray[] => (Array.isArray(r) ? r : names.map((n) => r[n.find((k) => r[k] !== undefined)!]));
const qrOf = (r: Names): [NDArray, NDArray] => tuple(r, ["q", "Q"], ["r", "R"]) as [NDArray, NDArray];
const svdOf = (r: Names): [NDArray, NDArray, NDArray] => tuple(r, ["u", "U"], ["s", "S"], ["vh", "Vh", "vt"]) as [NDArray, NDArray, NDArray];
const eighOf = (r: Names): [NDArray, NDArray] => tuple(r, ["eigenvalues", "w"], ["eigenvectors", "v"]) as [NDArray, NDArray];
