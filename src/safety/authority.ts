/**
 * Who may command the robot. `stop`: nobody, since it has no torque, is stopping or has stopped.
 * `policy`: the policy and the motion that leads to its start. `person`: somebody at a gamepad, a
 * browser or a leader arm. `recovery`: a behaviour that gets the robot out of where it got stuck.
 * The order is the code under which an authority travels through shared memory.
 */
export const authorities = ['stop', 'policy', 'person', 'recovery'] as const;
export type Authority = (typeof authorities)[number];

/** Who may take over from outside the control loop. */
export type Guest = 'person' | 'recovery';

/**
 * One authority at a time: whether `to` may have the robot of `from`. A stop ends with arming alone,
 * and a person is not interrupted by a behaviour: they let go themselves.
 */
export function mayTakeOver(from: Authority, to: Authority): boolean {
  if (from === 'stop' || to === 'stop') return false;
  return !(from === 'person' && to === 'recovery');
}
