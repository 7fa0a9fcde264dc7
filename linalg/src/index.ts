export { cholesky, choFactor, type CholeskyFactor, type CholeskyOptions } from "./factorizations/cholesky.js";
export { lu, luFactor, type LuFactor, type LuResult } from "./factorizations/lu.js";
export { qr, type QrMode, type QrResult } from "./factorizations/qr.js";
export { eigh, eigvalsh, type EighOptions, type EighResult } from "./factorizations/eigh.js";
export { solveTriangular, type SolveTriangularOptions } from "./factorizations/triangular-solve.js";
export { choSolve, inv, luSolve, solve, type SolveOptions } from "./solve.js";
export { det, slogdet, type SlogdetResult } from "./determinant.js";
