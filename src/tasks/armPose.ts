import type { Chain } from '../robot/kinematics.js';
import type { RobotSpec } from '../robot/spec.js';

const ITERATIONS = 30;
const DAMPING = 1e-4;
const PROBE_RAD = 1e-4;
const CLOSE_M = 1e-4;

/**
 * Joint positions that put a tool at a point, pointing straight down: damped least squares (Wampler
 * 1986) over two points of the tool. The last joint of the chain, its roll, stays where it is told.
 * @param q_rad where to begin, and the result: inside the joints' ranges, as near as they allow
 */
export function armPose(spec: RobotSpec, tool: Chain, at_m: readonly number[], q_rad: Float64Array): void {
  const links = [...tool.joints].slice(0, -1);
  q_rad[tool.joints[tool.joints.length - 1]] = 0;
  const error = new Float64Array(6);
  const probe = new Float64Array(6);
  const length = spec.chains.find((c) => c.name === tool.name)!.tip_m[0];
  const measure = (out: Float64Array) => {
    tool.update(q_rad);
    for (let k = 0; k < 3; k++) {
      out[k] = at_m[k] - tool.tip_m[k];
      // The other end of the tool, which lies along the x axis of its last link.
      const rear_m = tool.tip_m[k] - length * tool.rotation[3 * k];
      out[3 + k] = at_m[k] + (k === 2 ? length : 0) - rear_m;
    }
  };
  for (let i = 0; i < ITERATIONS; i++) {
    measure(error);
    if (Math.hypot(...error) < CLOSE_M) return;
    const jacobian = links.map((j) => {
      const before = q_rad[j];
      q_rad[j] += PROBE_RAD;
      measure(probe);
      q_rad[j] = before;
      return Float64Array.from(error, (e, k) => (e - probe[k]) / PROBE_RAD);
    });
    const step = leastSquares(jacobian, error);
    links.forEach((j, i) => {
      const [low, high] = spec.joints[j].position_rad;
      q_rad[j] = Math.min(high, Math.max(low, q_rad[j] + step[i]));
    });
  }
}

/** Solves (J Jᵀ + λ) x = J e by elimination; `rows` are the columns of the Jacobian. */
function leastSquares(rows: readonly Float64Array[], error: Float64Array): number[] {
  const n = rows.length;
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, k) => sum + x * b[k], 0);
  const m = rows.map((a, i) => [...rows.map((b, j) => dot(a, b) + (i === j ? DAMPING : 0)), dot(a, error)]);
  for (let i = 0; i < n; i++)
    for (let r = 0; r < n; r++) {
      if (r === i) continue;
      const factor = m[r][i] / m[i][i];
      for (let c = i; c <= n; c++) m[r][c] -= factor * m[i][c];
    }
  return m.map((row, i) => row[n] / row[i]);
}
