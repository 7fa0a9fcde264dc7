import type { NDArray } from "@hessia/core";
import { type LineSearchResult, strongWolfe, type WolfeOptions } from "../line-search/strong-wolfe.js";
import type { Point, Problem } from "./problem.js";
import { along, dot } from "./vectors.js";

export interface Located extends Point {
  readonly x: NDArray;
}

/** Strong Wolfe search of an objective from a point along a direction. */
export function searchAlong<P>(problem: Problem<P>, from: Located, p: NDArray, first: number, options?: WolfeOptions): LineSearchResult<Located> | undefined {
  return strongWolfe<Located>((alpha) => {
    const x = along(from.x, alpha, p);
    const point = problem.valueAndGrad(x);
    return { f: point.f, slope: dot(point.g, p), data: { x, ...point } };
  }, { f: from.f, slope: dot(from.g, p), data: from }, first, options);
}
