import type { RobotSpec } from '../robot/spec.js';
import type { Authority } from './authority.js';

/**
 * How old a wish may be, s. A person's hand on the switch is renewed with every target that they
 * send: when they let go, or the line to them breaks, the robot holds after `person.deadman_s`.
 */
export function wishLasts_s(spec: RobotSpec, authority: Authority): number {
  return authority === 'person' ? spec.person.deadman_s : spec.watchdog.command_age_s;
}
