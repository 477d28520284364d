import type { Evaluation } from '../../policy/manifest.js';

/** Walking speed that counts as right, m/s, along the starting heading. */
const SPEED_MPS = [0.5, 1.0] as const;

/** How far a speed lies outside the range; 0 where the task has no speed. */
function speedError_mps({ mean_speed_mps: speed }: Evaluation): number {
  if (speed === null) return 0;
  return Math.max(SPEED_MPS[0] - speed, speed - SPEED_MPS[1], 0);
}

/**
 * May a candidate replace the policy in use? Only with no more falls, no speed further outside the
 * range, and a higher mean return, on the same episodes. @returns why not, or undefined
 */
export function objection(candidate: Evaluation, inUse: Evaluation | undefined): string | undefined {
  if (!inUse) return undefined;
  const [falls, before] = [candidate.falls ?? 0, inUse.falls ?? 0];
  if (falls > before) return `${falls} falls, ${before} with the policy in use`;
  const speed = speedError_mps(candidate);
  if (speed > speedError_mps(inUse)) return `${speed.toFixed(2)} m/s outside ${SPEED_MPS.join('–')} m/s`;
  const [value, bar] = [candidate.mean_return ?? 0, inUse.mean_return ?? 0];
  return value > bar
    ? undefined
    : `mean return ${value.toFixed(1)}, ${bar.toFixed(1)} with the policy in use`;
}
