/** One operation of each kind. */
import { jit, type NDArray, np } from "@hessia/core";
import { norm } from "@hessia/linalg";
import * as nn from "@hessia/nn";
import { type Adapter, elementOf, numberOf, textOf } from "../../harness/case.js";
import { digest } from "../../harness/data.js";
import { surveyInput, type SurveyName } from "../../tasks/survey.js";
import { array, discard } from "./arrays.js";

export const surveyAdapter: Adapter = {
  survey(params) {
    const n = numberOf(params, "n");
    const input = surveyInput(n, elementOf(params));
    const { rows, columns } = input;
    const [x, y, positive, matrix] = [array(input.x, [n]), array(input.y, [n]), array(input.positive, [n]), array(input.x, [rows, columns])];
    const [column, row] = [array(input.x.slice(0, rows), [rows, 1]), array(input.y.slice(0, columns), [columns])];
    const one = (f: (v: NDArray) => NDArray, operand = x): [(...v: NDArray[]) => NDArray, NDArray[]] => [(v) => f(v!), [operand]];
    const two = (f: (a: NDArray, b: NDArray) => NDArray, a = x, b = y): [(...v: NDArray[]) => NDArray, NDArray[]] => [(p, q) => f(p!, q!), [a, b]];
    const operations: Record<SurveyName, [(...v: NDArray[]) => NDArray, NDArray[]]> = {
      remainder: two(np.remainder, x, positive), cube: one((v) => np.power(v, 3)), clip: one((v) => np.clip(v, -1, 1)), where: two((a, b) => np.where(np.greater(a, 0), a, b)),
      "column + row": two(np.add, column, row), transpose: one((v) => np.transpose(v), matrix), concatenate: two((a, b) => np.concatenate([a, b])), repeat: one((v) => np.repeat(v, 2)), roll: one((v) => np.roll(v, 3)),
      pad: one((v) => np.pad(v, 1), matrix), "every second": one((v) => v.get("::2")), diff: one((v) => np.diff(v)), "variance, axis 0": one((v) => np.var(v, 0), matrix), "norm, axis 1": one((v) => norm(v, null, { axis: 1 }), matrix),
      softmax: one((v) => nn.softmax(v), matrix),
    };
    const [plain, operands] = operations[textOf(params, "op") as SurveyName];
    const f = textOf(params, "mode") === "jit" ? jit(plain) : plain;
    return { run: () => discard(f(...operands)), digest: () => digest(f(...operands).data), dispose: () => discard([x, y, positive, matrix, column, row]) };
  },
};
