/**
 * Damped least squares (Nakamura and Hanafusa 1986; Wampler 1986): the joint rates
 * q̇ = Jᵀ (J Jᵀ + λ² I)⁻¹ v, which stay bounded where the arm is singular. λ grows from 0 to `most` as
 * the manipulability √det(J Jᵀ) falls below `near`, so that elsewhere the motion is exact.
 * @param J row by row, `rows` × `columns`
 * @param v `rows` numbers
 * @param out `columns` numbers
 */
export function dampedLeastSquares(
  J: Float64Array,
  rows: number,
  columns: number,
  v: ArrayLike<number>,
  out: Float64Array,
  near: number,
  most: number,
): void {
  const A = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < rows; k++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += J[i * columns + j] * J[k * columns + j];
      A[i * rows + k] = sum;
    }
  const manipulability = Math.sqrt(Math.max(0, determinant(A, rows)));
  const lambda = most * Math.max(0, 1 - manipulability / near);
  for (let i = 0; i < rows; i++) A[i * rows + i] += lambda ** 2 + Number.EPSILON;
  const w = solve(A, rows, v);
  for (let j = 0; j < columns; j++) {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += J[i * columns + j] * w[i];
    out[j] = sum;
  }
}

/** x of A x = b, by Gauss elimination with partial pivoting on a copy. */
function solve(A: Float64Array, n: number, b: ArrayLike<number>): Float64Array {
  const M = A.slice();
  const x = Float64Array.from(b);
  eliminate(M, n, x);
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= M[i * n + k] * x[k];
    x[i] /= M[i * n + i];
  }
  return x;
}

function determinant(A: Float64Array, n: number): number {
  const M = A.slice();
  let product = eliminate(M, n, new Float64Array(n));
  for (let i = 0; i < n; i++) product *= M[i * n + i];
  return product;
}

/** Brings M to upper triangular form, and b along. @returns 1 or −1, for the rows that changed places */
function eliminate(M: Float64Array, n: number, b: Float64Array): number {
  let sign = 1;
  for (let i = 0; i < n; i++) {
    let pivot = i;
    for (let r = i + 1; r < n; r++) if (Math.abs(M[r * n + i]) > Math.abs(M[pivot * n + i])) pivot = r;
    if (M[pivot * n + i] === 0) continue;
    if (pivot !== i) {
      sign = -sign;
      for (let k = 0; k < n; k++) [M[i * n + k], M[pivot * n + k]] = [M[pivot * n + k], M[i * n + k]];
      [b[i], b[pivot]] = [b[pivot], b[i]];
    }
    for (let r = i + 1; r < n; r++) {
      const factor = M[r * n + i] / M[i * n + i];
      for (let k = i; k < n; k++) M[r * n + k] -= factor * M[i * n + k];
      b[r] -= factor * b[i];
    }
  }
  return sign;
}
