/** A safety function switched off: what its code returns at once in a test build. */
export interface Mutation {
  readonly name: string;
  /** In dist/. */
  readonly file: string;
  /** Function or method. */
  readonly define: string;
  /** A statement that takes the place of its body. */
  readonly instead: string;
}

const safety = (name: string, file: string, define: string, instead: string): Mutation => ({
  name,
  file: `src/safety/${file}.js`,
  define,
  instead,
});

/** Every safety function that acts in the control loop, and the ways it can be gone. */
export const mutations: readonly Mutation[] = [
  safety('stop on request', 'kernel', 'requestStop', 'return;'),
  safety('emergency stop', 'kernel', 'emergencyStop', 'return;'),
  safety('latch', 'latch', 'set', 'return;'),
  safety('a stop that knows gravity', 'kernel', 'beginStop', "this.mode = 'idle'; return;"),
  safety('sensor age', 'watchdog', 'sensorFreshness', "return 'fresh';"),
  safety('command age and deadman', 'watchdog', 'isCurrent', 'return true;'),
  safety('deadman of a person', 'deadman', 'wishLasts_s', 'return 1e9;'),
  safety('values that cannot be', 'sensors', 'withinReach', 'return true;'),
  safety('frozen sensors', 'frozen', 'find', 'return -1;'),
  safety('sensors that jump', 'jump', 'find', 'return -1;'),
  safety('commands that are no numbers', 'kernel', 'allFinite', 'return true;'),
  safety(
    'velocity, acceleration and position of targets',
    'target',
    'moveTarget',
    'memory[at] = asked_rad; memory[at + 1] = 0; return;',
  ),
  safety('room to brake', 'braking', 'approachSpeed_rad_s', 'return limit_rad_s;'),
  safety(
    'low-pass and jerk',
    'smoothing',
    'next',
    'for (let j = 0; j < out_rad.length; j++) out_rad[j] = targets[2 * j]; return;',
  ),
  safety('torque', 'torque', 'limitTorque', 'return target_rad;'),
  safety('damping beyond the torque limit', 'torque', 'limitDamping', 'return joint.kd_nm_s_rad;'),
  safety('power', 'power', 'limitPower', 'return 0;'),
  safety('workspace', 'workspace', 'outside_m', 'return 0;'),
  safety('self-collision', 'selfCollision', 'outside_m', 'return 0;'),
  safety(
    'room for chains that go on',
    'shaping',
    'letGoOn',
    'for (const j of group) copyTarget(this.wanted, this.targets, j); return;',
  ),
  safety('geofence', 'geofence', 'outsideFence_m', 'return 0;'),
  safety('fall', 'fall', 'hasFallen', 'return false;'),
  safety('derating', 'derating', 'update', 'return;'),
  safety('overheating', 'derating', 'overheated', 'return -1;'),
  safety('weak supply', 'derating', 'exhausted', 'return false;'),
  safety('contact', 'contact', 'update', 'return;'),
  safety('reduced speed of the tool', 'reducedSpeed', 'limit', 'return;'),
  safety('one authority at a time', 'authority', 'mayTakeOver', 'return true;'),
  safety('bumpless handover', 'kernel', 'commands', 'this.commanding = by; this.shaping.takeUp(this.wish);'),
  safety('the log of events', 'events', 'report', 'return;'),
  {
    name: 'admission of policies',
    file: 'src/policy/admission.js',
    define: 'admit',
    instead: 'return { admitted: true };',
  },
  {
    name: 'executed actions in replay',
    file: 'src/tasks/task.js',
    define: 'targetsToAction',
    instead: 'out.fill(0.123); return;',
  },
];

/** @throws Error where the code has no such function any more */
export function mutate(source: string, { name, define, instead }: Mutation): string {
  const head = new RegExp(`^(export function |function | {4})${define}\\(.*\\) \\{$`, 'm');
  if (!head.test(source)) throw new Error(`mutation "${name}": no ${define} in the code`);
  return source.replace(head, (line) => `${line}\n${instead}`);
}
