import { ArgumentError, type DType, foriLoop, lax, type NDArray, np, random, type Shape, ShapeError } from "@hessia/core";

/**
 * Initializers: functions that draw or fill an array, with JAX's constants and bits for the same key.
 * The dtype is float32 unless asked, for network parameters are.
 */
export type Initializer = (key: NDArray, shape: Shape, dtype?: DType) => NDArray;

/** Zeros. @example nn.initializers.zeros(key, [3]) */
export const zeros: Initializer = (_key, shape, dtype = "float32") => np.zeros(shape, { dtype });
/** Ones. */
export const ones: Initializer = (_key, shape, dtype = "float32") => np.ones(shape, { dtype });
/** One value everywhere. @example nn.initializers.constant(0.1) */
export const constant = (value: number): Initializer => (_key, shape, dtype = "float32") => np.full(shape, value, { dtype });

/** Constants are rounded to the dtype first, as JAX does, so that draws agree to the last bit. */
const rounded = (v: number, dtype: DType): number => (dtype === "float32" ? Math.fround(v) : v);
const scaled = (x: NDArray, by: number): NDArray => (by === 1 ? x : np.multiply(x, by));

/** Normal draws with standard deviation `stddev` (default 0.01). */
export const normal = (stddev = 1e-2): Initializer => (key, shape, dtype = "float32") => scaled(random.normal(key, shape, { dtype }), rounded(stddev, dtype));
/** Alias of `normal`, under Haiku's name. */
export const randomNormal: typeof normal = normal;
/** Uniform draws from 0 to `scale` (default 0.01). */
export const uniform = (scale = 1e-2): Initializer => (key, shape, dtype = "float32") => scaled(random.uniform(key, shape, { dtype }), rounded(scale, dtype));
export interface TruncationOptions {
  /** Bounds of the standard normal variable before scaling (default -2 and 2). */
  readonly lower?: number;
  readonly upper?: number;
}
/** Normal draws cut off beyond two standard deviations, times `stddev` (default 0.01; not corrected for the cut). */
export const truncatedNormal = (stddev = 1e-2, o: TruncationOptions = {}): Initializer => (key, shape, dtype = "float32") =>
  scaled(random.truncatedNormal(key, o.lower ?? -2, o.upper ?? 2, shape, { dtype }), rounded(stddev, dtype));

export type FanMode = "fan_in" | "fan_out" | "fan_avg" | "fan_geo_avg";
export type ScalingDistribution = "truncated_normal" | "normal" | "uniform";
export interface FanOptions {
  /** Axes of the inputs (default -2), of the outputs (default -1), and axes that do not count. The rest is the receptive field. */
  readonly inAxis?: number | readonly number[];
  readonly outAxis?: number | readonly number[];
  readonly batchAxis?: number | readonly number[];
}

/**
 * Numbers of inputs and outputs of a unit whose weights have this shape.
 * @throws ShapeError for fewer than two axes when the axes are not given.
 */
export function computeFans(shape: Shape, o: FanOptions = {}): { fanIn: number; fanOut: number } {
  if (shape.length < 2 && (o.inAxis === undefined || o.outAxis === undefined))
    throw new ShapeError({ fn: "varianceScaling", arg: "shape", expected: "at least two axes, inputs and outputs", got: `[${shape.join(",")}]`, fix: "give inAxis and outAxis, or use normal or zeros for vectors" });
  const size = (axis: number | readonly number[]): number => (typeof axis === "number" ? [axis] : axis).reduce((n, d) => n * shape.at(d)!, 1);
  const inputs = size(o.inAxis ?? -2);
  const outputs = size(o.outAxis ?? -1);
  const field = shape.reduce((n, k) => n * k, 1) / inputs / outputs / size(o.batchAxis ?? []);
  return { fanIn: inputs * field, fanOut: outputs * field };
}

/** Standard deviation of the standard normal distribution cut off at -2 and 2. */
const truncatedDeviation = 0.87962566103423978;

/**
 * Draws of variance `scale / fan`, fan being the number of inputs ("fan_in"), outputs ("fan_out"), their mean ("fan_avg") or geometric
 * mean ("fan_geo_avg"). The truncated normal is corrected so that its variance is exact. Source: Glorot and Bengio 2010, He et al. 2015.
 * @throws ArgumentError for other modes and distributions; ShapeError for vectors without axes given.
 * @example nn.initializers.varianceScaling(2, "fan_in", "truncated_normal")(key, [128, 64])
 */
export function varianceScaling(scale: number, mode: FanMode, distribution: ScalingDistribution, o: FanOptions = {}): Initializer {
  const fn = "varianceScaling";
  if (!["fan_in", "fan_out", "fan_avg", "fan_geo_avg"].includes(mode)) throw new ArgumentError({ fn, arg: "mode", expected: '"fan_in", "fan_out", "fan_avg" or "fan_geo_avg"', got: JSON.stringify(mode) ?? "undefined", fix: "use one of these words" });
  if (!["truncated_normal", "normal", "uniform"].includes(distribution)) throw new ArgumentError({ fn, arg: "distribution", expected: '"truncated_normal", "normal" or "uniform"', got: JSON.stringify(distribution) ?? "undefined", fix: "use one of these words" });
  return (key, shape, dtype = "float32") => {
    const { fanIn, fanOut } = computeFans(shape, o);
    const fan = { fan_in: fanIn, fan_out: fanOut, fan_avg: (fanIn + fanOut) / 2, fan_geo_avg: Math.sqrt(fanIn * fanOut) }[mode];
    if (!(fan > 0)) return np.zeros(shape, { dtype });
    const variance = rounded(scale / fan, dtype);
    const root = (v: number): number => rounded(Math.sqrt(rounded(v, dtype)), dtype);
    if (distribution === "normal") return np.multiply(random.normal(key, shape, { dtype }), root(variance));
    if (distribution === "uniform") return np.multiply(random.uniform(key, shape, { dtype, minval: -1, maxval: 1 }), root(3 * variance));
    return np.multiply(random.truncatedNormal(key, -2, 2, shape, { dtype }), rounded(root(variance) / rounded(truncatedDeviation, dtype), dtype));
  };
}
/** Haiku's name for the uniform case: `varianceScaling(scale^2, "fan_in", "uniform")`. */
export const uniformScaling = (scale = 1): Initializer => varianceScaling(scale * scale, "fan_in", "uniform");

/** Variance 1 / inputs, truncated normal (LeCun et al. 1998; Klambauer et al., arXiv:1706.02515). */
export const lecunNormal = (o: FanOptions = {}): Initializer => varianceScaling(1, "fan_in", "truncated_normal", o);
/** Variance 1 / inputs, uniform. */
export const lecunUniform = (o: FanOptions = {}): Initializer => varianceScaling(1, "fan_in", "uniform", o);
/** Variance 2 / (inputs + outputs), truncated normal (Glorot and Bengio 2010). */
export const glorotNormal = (o: FanOptions = {}): Initializer => varianceScaling(1, "fan_avg", "truncated_normal", o);
/** Variance 2 / (inputs + outputs), uniform. */
export const glorotUniform = (o: FanOptions = {}): Initializer => varianceScaling(1, "fan_avg", "uniform", o);
/** Alias of `glorotNormal`. */
export const xavierNormal: typeof glorotNormal = glorotNormal;
/** Alias of `glorotUniform`. */
export const xavierUniform: typeof glorotUniform = glorotUniform;
/** Variance 2 / inputs, truncated normal (He et al., arXiv:1502.01852). */
export const heNormal = (o: FanOptions = {}): Initializer => varianceScaling(2, "fan_in", "truncated_normal", o);
/** Variance 2 / inputs, uniform. */
export const heUniform = (o: FanOptions = {}): Initializer => varianceScaling(2, "fan_in", "uniform", o);
/** Alias of `heNormal`. */
export const kaimingNormal: typeof heNormal = heNormal;
/** Alias of `heUniform`. */
export const kaimingUniform: typeof heUniform = heUniform;

/**
 * Orthonormal columns of a tall matrix, each with positive product with its source: the Q of the QR decomposition whose R has a positive
 * diagonal. Gram-Schmidt, every column projected twice, which is enough (Giraud, Langou, Rozložník 2005).
 */
function orthonormal(a: NDArray): NDArray {
  const n = a.shape[1]!;
  const columns = np.arange(n);
  return foriLoop(0, n, (k: NDArray, q: NDArray): NDArray => {
    const project = (v: NDArray): NDArray => np.subtract(v, np.matmul(q, np.matmul(np.transpose(q), v)));
    const here = np.equal(columns, k).astype(a.dtype);
    const v = project(project(np.matmul(a, here)));
    return np.add(q, np.outer(np.divide(v, np.sqrt(np.sum(np.square(v)))), here));
  }, np.zerosLike(a));
}

export interface OrthogonalOptions {
  /** The axis whose slices are orthonormal (default -1). */
  readonly columnAxis?: number;
}
/**
 * `scale` times a uniformly distributed (Haar) orthogonal matrix; shapes of more axes are flattened but for the column axis
 * (Saxe et al., arXiv:1312.6120).
 * @throws ShapeError for fewer than two axes.
 */
export const orthogonal = (scale = 1, o: OrthogonalOptions = {}): Initializer => (key, shape, dtype = "float32") => {
  if (shape.length < 2) throw new ShapeError({ fn: "orthogonal", arg: "shape", expected: "at least two axes", got: `[${shape.join(",")}]`, fix: "use another initializer for vectors" });
  if (shape.includes(0)) return np.zeros(shape, { dtype });
  const axis = ((o.columnAxis ?? -1) + shape.length) % shape.length;
  const columns = shape[axis]!;
  const rest = shape.filter((_, d) => d !== axis);
  const rows = rest.reduce((n, k) => n * k, 1);
  const q = orthonormal(random.normal(key, [Math.max(rows, columns), Math.min(rows, columns)], { dtype }));
  const matrix = rows < columns ? np.transpose(q) : q;
  return scaled(np.moveaxis(np.reshape(matrix, [...rest, columns]), -1, axis), rounded(scale, dtype));
};

/**
 * A convolution kernel that is an orthogonal matrix at its centre and 0 elsewhere (Xiao et al., arXiv:1806.05393).
 * @throws ShapeError unless there are 3 to 5 axes with at least as many outputs as inputs.
 */
export const deltaOrthogonal = (scale = 1, o: OrthogonalOptions = {}): Initializer => (key, shape, dtype = "float32") => {
  if (shape.length < 3 || shape.length > 5 || shape.at(-1)! < shape.at(-2)!)
    throw new ShapeError({ fn: "deltaOrthogonal", arg: "shape", expected: "3 to 5 axes [...spatial, inputs, outputs] with outputs >= inputs", got: `[${shape.join(",")}]`, fix: "use orthogonal" });
  const q = orthogonal(scale, o)(key, shape.slice(-2), dtype);
  const centre = shape.slice(0, -2).map((k) => [Math.floor((k - 1) / 2), k - 1 - Math.floor((k - 1) / 2), 0] as const);
  return lax.pad(np.reshape(q, [...centre.map(() => 1), ...q.shape]), 0, [...centre, [0, 0, 0], [0, 0, 0]]);
};
