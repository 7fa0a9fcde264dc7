import { type DType, requireDType } from "../base/dtype.js";

export { requireChoice, requireInteger, requireOptions } from "../base/options.js";

export const optionalDType = (dtype: DType | undefined, fn: string): DType | undefined => (dtype === undefined ? undefined : requireDType(dtype, fn));
