/** How a robot got out of trouble, or did not: what everybody who watches is told. */
export interface ResetReport {
  /** On the robot's clock. */
  readonly time_s: number;
  /** A `Trouble` of `src/reset`. */
  readonly trouble: string;
  /**
   * `begun`, `done`, `failed`: of a behaviour. `interrupted`: somebody else took the robot, or it fell.
   * `person_asked`: nothing helped; the robot waits. `person_helped`: it commands itself again.
   */
  readonly outcome: 'begun' | 'done' | 'failed' | 'interrupted' | 'person_asked' | 'person_helped';
  /** Null where it is about a person. */
  readonly behaviour: string | null;
  /** From 1 in this trouble. */
  readonly attempt: number;
}

/** In one line, for people. */
export function resetInWords({ trouble, outcome, behaviour, attempt }: ResetReport): string {
  const what = trouble.replaceAll('_', ' ');
  if (outcome === 'person_asked') return `HELP: ${what}; the robot waits for a person (${attempt} tries)`;
  if (outcome === 'person_helped') return `${what}: helped; the robot goes on`;
  return `${what}: ${behaviour} ${outcome}${attempt > 1 ? ` (try ${attempt})` : ''}`;
}
