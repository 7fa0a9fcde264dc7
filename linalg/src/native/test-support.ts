import { np, type NDArray } from "@hessia/core";
import { bind, type Primitive, type Routine, type RoutineArray } from "@hessia/core/extend";

export type FloatName = "float32" | "float64";
export const epsilon = { float32: 2 ** -23, float64: 2 ** -52 } as const;

/** On both sides of every block size and vector width. */
export const sizes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 63, 64, 65, 100, 127, 128, 129, 200];

/** Numbers in [-1, 1), the same for the same seed. */
export function numbers(seed: number, count: number): Float64Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export const asArray = (values: Float64Array, shape: readonly number[], dtype: FloatName): NDArray => np.reshape(np.array(values, { dtype }), [...shape]);

/** Outputs of the native code, by way of the primitive. */
export const native = <P extends object>(primitive: Primitive<P>, inputs: readonly NDArray[], params: P): ArrayLike<number>[] => bind(primitive, [...inputs], params).map((x) => (x as NDArray).data as ArrayLike<number>);

/** Outputs of the reference on the same inputs. */
export function reference<P extends object>(routine: Routine<P>, inputs: readonly NDArray[], outputs: readonly { shape: readonly number[]; int?: boolean }[], params: P): ArrayLike<number>[] {
  const dtype = inputs[0]!.dtype as FloatName;
  const arrays = outputs.map(({ shape, int }): RoutineArray => {
    const size = shape.reduce((a, b) => a * b, 1);
    return { shape: [...shape], dtype: int ? "int32" : dtype, data: int ? new Int32Array(size) : dtype === "float32" ? new Float32Array(size) : new Float64Array(size) };
  });
  routine.reference(inputs.map((x) => ({ shape: x.shape, dtype: x.dtype, data: x.data })), arrays, params);
  return arrays.map((a) => a.data as ArrayLike<number>);
}

/** Largest |sum_k a[i,k] b[k,j] - c[i,j]|, with access functions for the three. */
export function residual(m: number, n: number, k: number, a: (i: number, k: number) => number, b: (k: number, j: number) => number, c: (i: number, j: number) => number): number {
  // Rows of a and columns of b lie side by side: tests call these functions m k + k n times, not m n k times.
  const [rows, columns] = [new Float64Array(m * k), new Float64Array(n * k)];
  for (let q = 0; q < k; q++) {
    for (let i = 0; i < m; i++) rows[i * k + q] = a(i, q);
    for (let j = 0; j < n; j++) columns[j * k + q] = b(q, j);
  }
  let worst = 0;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = -c(i, j);
      for (let q = 0; q < k; q++) sum += rows[i * k + q]! * columns[j * k + q]!;
      if (!(Math.abs(sum) <= worst)) worst = Math.abs(sum);
    }
  return worst;
}

/** Largest distance of two arrays; NaN must stand where NaN is expected. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let worst = a.length === b.length ? 0 : Infinity;
  for (let i = 0; i < a.length; i++) {
    const d = Number.isNaN(a[i]!) && Number.isNaN(b[i]!) ? 0 : Math.abs(a[i]! - b[i]!);
    if (!(d <= worst)) worst = d;
  }
  return worst;
}
