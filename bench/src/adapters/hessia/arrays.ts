import { type NDArray, np } from "@hessia/core";
import type { Numbers } from "../../harness/data.js";

export const array = (data: Numbers, shape: readonly number[]): NDArray => np.array(data).reshape([...shape]);
