import { type DType, type NDArray, np, ShapeError } from "@hessia/core";
import { type Initializer, lecunNormal, varianceScaling, zeros } from "../functions/initializers.js";
import { Module, type ModuleOptions } from "../modules/module.js";
import { inDType, requireCount, requireInput } from "./options.js";

export interface LayerDTypes {
  /** dtype to compute in; default: what input and parameters promote to. */
  readonly dtype?: DType;
  /** dtype of the parameters (default float32). */
  readonly paramDtype?: DType;
}
export interface DenseOptions extends ModuleOptions, LayerDTypes {
  /** Default true. */
  readonly useBias?: boolean;
  readonly kernelInit?: Initializer;
  readonly biasInit?: Initializer;
}

/**
 * Affine map of the last axis: `y = x kernel + bias`, with kernel [inputs, features] and bias [features].
 * @throws ShapeError for scalars, and when the kernel does not fit the last axis.
 * @example new nn.Dense(10, { useBias: false }).call(x) // [..., n] -> [..., 10]
 */
export class Dense extends Module {
  static readonly typeName: string = "Dense";
  constructor(readonly features: number, readonly options: DenseOptions = {}) {
    super(options);
    requireCount(features, new.target.name, "features");
  }
  override call(x: NDArray): NDArray {
    const o = this.options;
    const a = requireInput(x, 1, "Dense");
    const kernel = this.param("kernel", o.kernelInit ?? lecunNormal(), [a.shape.at(-1)!, this.features], o.paramDtype);
    const bias = (o.useBias ?? true) ? this.param("bias", o.biasInit ?? zeros, [this.features], o.paramDtype) : null;
    const [v, k, b] = inDType(o.dtype, a, kernel, bias);
    const y = np.matmul(v!, k!);
    return b ? np.add(y, b) : y;
  }
}

/** `Dense` under Haiku's and PyTorch's name; automatic names are `Linear_0` (`linear` within `transform`). */
export class Linear extends Dense {
  static override readonly typeName: string = "Linear";
}

export interface EmbedOptions extends ModuleOptions, LayerDTypes {
  /** Default: normal with variance 1 / features. */
  readonly embeddingInit?: Initializer;
}

/**
 * A table of vectors: `call(indices)` gives rows, [...] -> [..., features]; `attend(x)` gives products with all rows, `x table^T`.
 * Indices outside the table give rows of NaN, as in `np.take`.
 * @throws ShapeError when `attend` gets vectors of another length.
 * @example new nn.Embed(1000, 64).call(np.array([3, 7], { dtype: "int32" }))
 */
export class Embed extends Module {
  static readonly typeName: string = "Embed";
  constructor(readonly numEmbeddings: number, readonly features: number, readonly options: EmbedOptions = {}) {
    super(options);
    requireCount(numEmbeddings, new.target.name, "numEmbeddings");
    requireCount(features, new.target.name, "features");
  }
  private table(): NDArray {
    return this.param("embedding", this.options.embeddingInit ?? embeddingInit, [this.numEmbeddings, this.features], this.options.paramDtype);
  }
  override call(indices: NDArray): NDArray {
    const [table] = inDType(this.options.dtype, this.table());
    return np.take(table!, indices, 0);
  }
  /** Similarity of vectors with every row, as the output layer of a language model that shares its input table. */
  attend(x: NDArray): NDArray {
    const [v, table] = inDType(this.options.dtype, requireInput(x, 1, "Embed.attend"), this.table());
    if (v!.shape.at(-1) !== this.features) throw new ShapeError({ fn: "Embed.attend", arg: "x", expected: `a last axis of ${this.features}`, got: `[${v!.shape.join(",")}]`, fix: "project the vectors with a Dense layer first" });
    return np.matmul(v!, np.transpose(table!));
  }
}
/** The scaling of Vaswani et al. (arXiv:1706.03762), as in Flax: variance 1 / features. */
const embeddingInit: Initializer = varianceScaling(1, "fan_in", "normal", { outAxis: 0 });
