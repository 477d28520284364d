import fc from 'fast-check';
import type { RobotSpec } from '../../src/robot/spec.js';
import { DriveMode, RobotState } from '../../src/robot/state.js';
import type { KernelMode } from '../../src/safety/kernel.js';
import { SafetyKernel } from '../../src/safety/kernel.js';

/** What goes wrong, or what an operator does, in a tick. */
export type Incident =
  | { readonly kind: 'none' | 'emergency_stop' | 'stop' | 'reset' | 'arm' }
  | { readonly kind: 'sensor_value'; readonly index: number; readonly value: number }
  | { readonly kind: 'sensor_age'; readonly age_s: number }
  | { readonly kind: 'tilt'; readonly tilt_rad: number }
  | { readonly kind: 'asked'; readonly joint: number; readonly value: number }
  | { readonly kind: 'asked_age'; readonly age_s: number };

/** One tick of a robot's life, as shares of its limits. */
export interface Tick {
  /** Asked targets: 0 and 1 are the ends of the position range. */
  readonly asked: readonly number[];
  /** Measured positions, likewise. */
  readonly position: readonly number[];
  /** Measured velocities over the velocity limits. */
  readonly velocity: readonly number[];
  readonly incident: Incident;
}

const nonsense = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY);
const wild = fc.oneof(nonsense, fc.double({ min: -1e9, max: 1e9, noNaN: true }));

function incidents(spec: RobotSpec): fc.Arbitrary<Incident> {
  const values = RobotState.for(spec).flat.length;
  const just = (kind: 'none' | 'emergency_stop' | 'stop' | 'reset' | 'arm') => fc.constant({ kind });
  return fc.oneof(
    { weight: 40, arbitrary: just('none') },
    { weight: 1, arbitrary: just('emergency_stop') },
    { weight: 1, arbitrary: just('stop') },
    { weight: 4, arbitrary: just('reset') },
    { weight: 8, arbitrary: just('arm') },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('sensor_value' as const),
        index: fc.nat(values - 1),
        value: wild,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('sensor_age' as const), age_s: wild }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('tilt' as const),
        tilt_rad: fc.double({ min: 0, max: 3.2, noNaN: true }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('asked' as const),
        joint: fc.nat(spec.joints.length - 1),
        value: wild,
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('asked_age' as const), age_s: wild }) },
  );
}

/** Sequences of ticks for a robot: asked targets jump anywhere, measurements too, and things go wrong. */
export function lives(spec: RobotSpec, velocity = 4): fc.Arbitrary<Tick[]> {
  const each = (min: number, max: number) =>
    fc.array(fc.double({ min, max, noNaN: true }), {
      minLength: spec.joints.length,
      maxLength: spec.joints.length,
    });
  return fc.array(
    fc.record({
      asked: fc.oneof(
        each(-1, 2),
        fc.constantFrom(0, 0.5, 1).map((x) => spec.joints.map(() => x)),
      ),
      position: each(0, 1),
      velocity: each(-velocity, velocity),
      incident: incidents(spec),
    }),
    { minLength: 1, maxLength: 60 },
  );
}

/** What a test looks at after each tick. */
export interface Seen {
  readonly kernel: SafetyKernel;
  readonly state: RobotState;
  readonly incident: Incident;
  /** What the kernel was doing before the incident. */
  readonly before: KernelMode;
}

/** Further than this within a tick a reading has jumped. */
const MOST_RAD = 0.28;

/** Leads an armed kernel through a life. Throws what the kernel or `look` throws. */
export function live(spec: RobotSpec, ticks: readonly Tick[], look: (seen: Seen) => void): void {
  const kernel = new SafetyKernel(spec);
  const state = RobotState.for(spec);
  const asked = new Float64Array(spec.joints.length);
  const pose = new Float64Array(spec.joints.length);
  let now_s = 1;
  const share = (j: number, x: number) => {
    const [low, high] = spec.joints[j].position_rad;
    return low + x * (high - low);
  };
  for (const [i, { asked: wanted, position, velocity, incident }] of ticks.entries()) {
    now_s += 1 / spec.rates.control_hz;
    state.flat.fill(0);
    state.time_s = now_s;
    state.orientation[0] = 1;
    for (let j = 0; j < spec.joints.length; j++) {
      asked[j] = share(j, wanted[j]);
      // From the pose before, as far as a joint may seem to come within a tick.
      const way = share(j, position[j]) - pose[j];
      pose[j] += i === 0 ? way : Math.max(-MOST_RAD, Math.min(MOST_RAD, way));
      state.position_rad[j] = pose[j];
      state.velocity_rad_s[j] = velocity[j] * spec.joints[j].velocity_rad_s;
    }
    if (i === 0) kernel.arm(state);
    const before = kernel.mode;
    let askedAt_s = now_s;
    switch (incident.kind) {
      case 'sensor_value':
        state.flat[incident.index] = incident.value;
        break;
      case 'sensor_age':
        state.time_s = now_s - incident.age_s;
        break;
      case 'tilt':
        state.orientation[0] = Math.cos(incident.tilt_rad / 2);
        state.orientation[1] = Math.sin(incident.tilt_rad / 2);
        break;
      case 'asked':
        asked[incident.joint] = incident.value;
        break;
      case 'asked_age':
        askedAt_s = now_s - incident.age_s;
        break;
      case 'emergency_stop':
        kernel.emergencyStop(now_s);
        break;
      case 'stop':
        kernel.requestStop(now_s);
        break;
      case 'reset':
        kernel.reset();
        break;
      case 'arm':
        kernel.arm(state);
        break;
    }
    kernel.step(state, asked, askedAt_s, now_s);
    look({ kernel, state, incident, before });
  }
}

/** Whether the command makes the drives follow a position. */
export function tracks(kernel: SafetyKernel): boolean {
  return kernel.command.mode === DriveMode.track;
}
