import type { Task } from "../harness/case.js";
import { cnn } from "./cnn.js";
import { convolutions } from "./convolutions.js";
import { descent } from "./descent.js";
import { dispatch } from "./dispatch.js";
import { fused } from "./fused.js";
import { indexing } from "./indexing.js";
import { linearAlgebra } from "./linear-algebra.js";
import { logistic } from "./logistic.js";
import { lstm } from "./lstm.js";
import { matmul } from "./matmul.js";
import { mlp } from "./mlp.js";
import { products } from "./products.js";
import { reductions } from "./reductions.js";
import { rosenbrock } from "./rosenbrock.js";
import { survey } from "./survey.js";

/** The tasks that are timed call by call. */
export const tasks: readonly Task[] = [matmul, fused, reductions, dispatch, mlp, rosenbrock, logistic, cnn, linearAlgebra, lstm, descent, indexing, products, convolutions, survey];
