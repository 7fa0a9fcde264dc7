import { np, ShapeError } from "@hessia/core";
import { expect, it } from "vitest";

it.each(["ii->i", "ii", "jj->j"])("%s takes no diagonal of axes of sizes 1 and 4", (subscripts) => {
  for (const shape of [[1, 4], [4, 1]]) expect(() => np.einsum(subscripts, np.ones(shape))).toThrow(ShapeError);
  expect(() => np.einsum("i,ii->i", np.ones([4]), np.ones([1, 4]))).toThrow(ShapeError);
  expect(() => np.einsum("ii,i->i", np.ones([4, 1]), np.ones([4]))).toThrow(ShapeError);
});

it("axes of size 1 go along with those of other operands", () => {
  expect(np.einsum("ij,jk->ik", np.ones([2, 1]), np.ones([4, 3])).toArray()).toEqual([[4, 4, 4], [4, 4, 4]]);
  expect(np.einsum("ii,i->i", np.full([1, 1], 3), np.arange(3).astype("float64")).toArray()).toEqual([0, 3, 6]);
  expect(np.einsum("i,ii->i", np.arange(3).astype("float64"), np.full([1, 1], 3)).toArray()).toEqual([0, 3, 6]);
});
