/** How a reward falls off outside of its bounds: as a bell, a parabola or a line. */
export type Falloff = 'gaussian' | 'quadratic' | 'linear';

export interface ToleranceOptions {
  readonly bounds?: readonly [low: number, high: number];
  /** Distance from the bounds at which the value is `atMargin`. */
  readonly margin: number;
  readonly atMargin?: number;
  readonly falloff?: Falloff;
}

/**
 * The reward shape of the control suite (Tassa et al., "DeepMind Control Suite", 2018, section 3): 1 within bounds,
 * falling smoothly outside.
 */
export function tolerance(
  x: number,
  { bounds = [0, 0], margin, atMargin = 0.1, falloff = 'gaussian' }: ToleranceOptions,
): number {
  const [low, high] = bounds;
  if (x >= low && x <= high) return 1;
  const distance = (x < low ? low - x : x - high) / margin;
  switch (falloff) {
    case 'gaussian':
      return atMargin ** (distance ** 2);
    case 'quadratic':
      return Math.max(0, 1 - (1 - atMargin) * distance ** 2);
    case 'linear':
      return Math.max(0, 1 - (1 - atMargin) * distance);
  }
}
