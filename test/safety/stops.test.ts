import { beforeEach, describe, expect, it } from 'vitest';
import { loadRobot } from '../../src/robot/load.js';
import { DriveMode, RobotState } from '../../src/robot/state.js';
import type { Cause } from '../../src/safety/events.js';
import { SafetyKernel } from '../../src/safety/kernel.js';
import { Workspace } from '../../src/safety/workspace.js';

const quadruped = loadRobot('quadruped').spec;
const arm = loadRobot('arm').spec;

/** A kernel with a robot that goes exactly where its targets are. */
class Bench {
  readonly kernel: SafetyKernel;
  readonly state: RobotState;
  readonly asked: Float64Array;
  now_s = 10;
  /** When the wish was made; undefined for a fresh one at every tick. */
  askedAt_s: number | undefined;

  constructor(readonly spec: typeof quadruped) {
    this.kernel = new SafetyKernel(spec);
    this.state = RobotState.for(spec);
    this.asked = Float64Array.from(spec.joints, (j) => j.home_rad);
    this.state.position_rad.set(this.asked);
    this.state.time_s = this.now_s;
    this.kernel.arm(this.state);
  }

  /** Ticks for so long with fresh samples. */
  run(seconds: number, change?: (state: RobotState) => void): void {
    const ticks = Math.round(seconds * this.spec.rates.control_hz);
    for (let t = 0; t < ticks; t++) {
      this.now_s += 1 / this.spec.rates.control_hz;
      this.state.time_s = this.now_s;
      // A living sensor is never the same to the last bit.
      this.state.gyro_rad_s[0] = 1e-9 * (t % 2);
      if (this.kernel.command.mode === DriveMode.track) this.state.position_rad.set(this.kernel.executed_rad);
      change?.(this.state);
      this.kernel.step(this.state, this.asked, this.askedAt_s ?? this.now_s, this.now_s);
    }
  }

  get causes(): Cause[] {
    return this.kernel.events.drain().map((e) => e.cause);
  }
}

describe.each([quadruped, arm])('on the $name', (spec) => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench(spec);
    bench.run(0.02);
    expect(bench.kernel.mode).toBe('run');
    bench.kernel.events.drain();
  });

  const unbelievable: [string, Cause, (state: RobotState) => void][] = [
    [
      'older than sensing may be',
      'sensor_lost',
      (s) => {
        s.time_s -= spec.watchdog.sensor_lost_s * 1.5;
      },
    ],
    [
      'without a time',
      'sensor_lost',
      (s) => {
        s.time_s = Number.NaN;
      },
    ],
    [
      'NaN in a velocity',
      'sensor_invalid',
      (s) => {
        s.velocity_rad_s[1] = Number.NaN;
      },
    ],
    [
      'infinite in a torque',
      'sensor_invalid',
      (s) => {
        s.torque_nm[0] = Number.POSITIVE_INFINITY;
      },
    ],
    [
      'outside the mechanical range',
      'sensor_range',
      (s) => {
        s.position_rad[2] = spec.joints[2].position_rad[1] + 0.5;
      },
    ],
    [
      'faster than any motor',
      'sensor_range',
      (s) => {
        s.velocity_rad_s[0] = -10 * spec.joints[0].velocity_rad_s;
      },
    ],
  ];

  it('a stale sample freezes the command; the robot goes on with the next fresh one', () => {
    const before = bench.kernel.command.position_rad.slice();
    const age = (spec.watchdog.sensor_age_s + spec.watchdog.sensor_lost_s) / 2;
    bench.run(0.02, (s) => {
      s.time_s -= age;
    });
    expect(bench.causes).toContain('sensor_stale');
    expect(bench.kernel.command.position_rad).toEqual(before);
    expect(bench.kernel.command.mode).toBe(DriveMode.track);
    expect(bench.kernel.latched).toBeUndefined();
    bench.run(0.02);
    expect(bench.kernel.mode).toBe('run');
  });

  it.each(unbelievable)('a sample %s brakes the robot and latches', (_what, cause, spoil) => {
    bench.run(0.002, spoil);
    expect(bench.causes).toContain(cause);
    expect(bench.kernel.command.mode).toBe(DriveMode.damp);
    bench.run(0.5);
    expect(bench.kernel.mode).toBe('damp');
    expect(bench.kernel.arm(bench.state)).toBe(false);
    // As long as the fault is there it stays braked, whatever the operator says.
    bench.kernel.reset();
    bench.run(0.002, spoil);
    expect([bench.kernel.mode, bench.kernel.latched]).toEqual(['damp', 'sensor_invalid']);
    const sound = new Bench(spec).state.flat;
    bench.kernel.reset();
    bench.run(0.01, (s) => s.flat.set(sound.subarray(1), 1));
    expect(bench.kernel.command.mode).toBe(DriveMode.off);
    expect(bench.kernel.arm(bench.state)).toBe(true);
  });

  it('a reset on the way to the stop pose, or of what is held in the air, takes the torque once it is there', () => {
    const { seconds, stand_s = 0 } = spec.stop;
    bench.kernel.requestStop(bench.now_s);
    bench.run(0.2);
    bench.kernel.reset();
    bench.run((stand_s + seconds) * 0.8);
    expect([bench.kernel.mode, bench.kernel.command.mode]).toEqual(['stopping', DriveMode.track]);
    bench.run((stand_s + seconds) * 0.3);
    expect([bench.kernel.mode, bench.kernel.command.mode]).toEqual(['idle', DriveMode.off]);
    bench.kernel.arm(bench.state);
    bench.run(0.1);
    bench.kernel.requestStop(bench.now_s, 'stop_requested', 2);
    bench.run(0.2);
    expect(bench.kernel.mode).toBe('stopped');
    bench.kernel.reset();
    bench.run(0.1);
    expect(bench.kernel.mode).toBe('stopping');
    bench.run((stand_s + seconds) * 1.1);
    expect(bench.kernel.mode).toBe('idle');
  });

  it('a reset of a robot that sinks under its brakes waits until it is still, one of a robot at work does nothing', () => {
    bench.kernel.reset();
    bench.run(0.01);
    expect(bench.kernel.mode).toBe('run');
    bench.run(0.002, (s) => {
      s.time_s -= spec.watchdog.sensor_lost_s * 1.5;
    });
    bench.kernel.reset();
    bench.run(0.1, (s) => s.velocity_rad_s.fill(1));
    expect(bench.kernel.command.mode).toBe(DriveMode.damp);
    bench.run(0.01, (s) => s.velocity_rad_s.fill(0));
    expect(bench.kernel.command.mode).toBe(DriveMode.off);
  });

  it('a policy that falls silent leaves the robot holding, with one event, until it speaks again', () => {
    bench.askedAt_s = bench.now_s;
    bench.run(spec.watchdog.command_age_s * 0.9);
    expect(bench.kernel.mode).toBe('run');
    bench.run(1);
    expect(bench.kernel.mode).toBe('hold');
    expect(bench.causes.filter((c) => c === 'command_stale')).toHaveLength(1);
    const held = Array.from(bench.kernel.command.position_rad);
    bench.run(1);
    expect(Array.from(bench.kernel.command.position_rad)).toEqual(held);
    bench.askedAt_s = undefined;
    bench.run(0.002);
    expect(bench.kernel.mode).toBe('run');
  });

  it('a wish that is no number is not followed', () => {
    const before = Array.from(bench.kernel.executed_rad);
    bench.asked[1] = Number.NaN;
    bench.run(0.1);
    expect(bench.kernel.mode).toBe('hold');
    expect(bench.causes).toEqual(['command_invalid']);
    bench.kernel.executed_rad.forEach((q, j) => {
      expect(q).toBeCloseTo(before[j], 3);
    });
  });

  it('a requested stop reaches the stop pose in the time of robot.yaml, then does what it says', () => {
    const { seconds, stand_s = 0 } = spec.stop;
    bench.kernel.requestStop(bench.now_s);
    bench.run(stand_s + seconds * 0.9);
    expect(bench.kernel.mode).toBe('stopping');
    bench.run(seconds * 0.2);
    expect(bench.kernel.mode).toBe('stopped');
    spec.stop.pose_rad.forEach((q, j) => {
      expect(bench.kernel.executed_rad[j]).toBeCloseTo(q, 2);
    });
    expect(bench.kernel.command.mode).toBe(
      spec.stop.afterwards === 'hold' ? DriveMode.track : DriveMode.damp,
    );
    expect(bench.kernel.latched).toBeUndefined();
  });

  it('a stop of category 0 takes the torque at once, one of category 2 brakes and holds', () => {
    bench.asked[1] += 0.5;
    bench.run(0.05);
    const { velocity_rad_s, acceleration_rad_s2 } = spec.joints[1];
    bench.kernel.requestStop(bench.now_s, 'stop_requested', 2);
    bench.run(velocity_rad_s / acceleration_rad_s2 + 0.05);
    expect(bench.kernel.mode).toBe('stopped');
    const held = Array.from(bench.kernel.executed_rad);
    bench.run(1);
    expect(Array.from(bench.kernel.executed_rad)).toEqual(held);
    expect(bench.kernel.command.mode).toBe(DriveMode.track);
    bench.kernel.arm(bench.state);
    bench.kernel.requestStop(bench.now_s, 'stop_requested', 0);
    bench.run(0.002);
    expect(bench.kernel.command.mode).toBe(DriveMode.off);
  });

  it('a drive that is too hot ends in a stop that knows gravity', () => {
    bench.run(0.002, (s) => {
      s.temperature_c[1] = spec.joints[1].temperature_max_c + 1;
    });
    expect(bench.kernel.mode).toBe('stopping');
    expect(bench.causes).toContain('overheated');
  });

  it('an emergency stop of a robot without torque gives it none', () => {
    bench.kernel.forget();
    bench.kernel.emergencyStop(bench.now_s);
    bench.run(0.1);
    expect(bench.kernel.command.mode).toBe(DriveMode.off);
    expect(bench.kernel.arm(bench.state)).toBe(false);
  });

  it('an intervention that lasts is one event', () => {
    bench.asked[0] = spec.joints[0].position_rad[1] + 1;
    bench.run(0.2);
    const events = bench.kernel.events.drain().filter((e) => e.cause === 'target_position');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ joint: 0, limit: spec.joints[0].position_rad[1] });
  });
});

describe('an emergency stop', () => {
  it('brakes the quadruped where it is, also in the middle of a stop', () => {
    const bench = new Bench(quadruped);
    bench.kernel.requestStop(bench.now_s);
    bench.run(0.2);
    bench.kernel.emergencyStop(bench.now_s);
    bench.run(0.002);
    expect(bench.kernel.command.mode).toBe(DriveMode.damp);
  });

  it('lowers the arm, and pressing it again does not begin anew', () => {
    const bench = new Bench(arm);
    bench.kernel.emergencyStop(bench.now_s);
    bench.run(arm.stop.seconds * 0.6);
    expect(bench.kernel.mode).toBe('stopping');
    bench.kernel.emergencyStop(bench.now_s);
    bench.run(arm.stop.seconds * 0.5);
    expect(bench.kernel.mode).toBe('stopped');
    bench.kernel.emergencyStop(bench.now_s);
    bench.run(0.1);
    expect(bench.kernel.mode).toBe('stopped');
    expect(bench.kernel.latched).toBe('emergency_stop');
  });
});

describe('a robot outside its fence', () => {
  const fenced = { ...quadruped, geofence: { side_m: 4 } };

  it('stops under its policy, and is let go by who leads it back', () => {
    const bench = new Bench(fenced);
    bench.kernel.place_m.set([2.1, 0]);
    bench.run(0.01);
    expect(bench.kernel.mode).toBe('stopping');
    expect(bench.causes).toContain('geofence');
    expect(bench.kernel.awaitsRecovery).toBe(true);
    bench.kernel.armForRecovery(bench.state);
    bench.run(0.1);
    expect(bench.kernel.mode).toBe('run');
    bench.kernel.place_m.set([2.5, 0]);
    bench.run(0.01);
    expect(bench.kernel.mode).toBe('run');
    // Back, not away.
    bench.kernel.place_m.set([2.7, 0]);
    bench.run(0.01);
    expect(bench.kernel.mode).toBe('stopping');
  });

  it('that its operator stopped waits for them alone', () => {
    const bench = new Bench(fenced);
    bench.kernel.requestStop(bench.now_s);
    bench.run(0.01);
    expect(bench.kernel.awaitsRecovery).toBe(false);
  });
});

describe('the tool', () => {
  it('stays in its box, whatever is asked, and comes back into it from outside', () => {
    const bench = new Bench(arm);
    const workspace = new Workspace(arm);
    bench.asked.set([0, 1.5, 0.6, 0.5, 0, 0]);
    expect(workspace.outside_m(bench.asked)).toBeGreaterThan(0.02);
    let worst = 0;
    for (let t = 0; t < 2 * arm.rates.control_hz; t++) {
      bench.run(0.002);
      worst = Math.max(worst, workspace.outside_m(bench.kernel.executed_rad));
    }
    expect(worst).toBeLessThan(0.002);
    expect(bench.causes).toContain('workspace');
    bench.state.position_rad.set(bench.asked);
    bench.kernel.arm(bench.state);
    bench.asked.set(arm.joints.map((j) => j.home_rad));
    bench.run(2);
    expect(workspace.outside_m(bench.kernel.executed_rad)).toBe(0);
  });
});

describe('a fall', () => {
  it('leads to damping, which stays when the robot is upright again', () => {
    const bench = new Bench(quadruped);
    bench.run(0.1);
    const tilt = quadruped.fall!.tilt_rad + 0.05;
    bench.run(0.002, ({ orientation }) => {
      orientation[0] = Math.cos(tilt / 2);
      orientation[1] = Math.sin(tilt / 2);
    });
    expect(bench.causes).toEqual(['fall']);
    expect(bench.kernel.command.mode).toBe(DriveMode.damp);
    bench.run(1, ({ orientation }) => {
      orientation[0] = 1;
      orientation[1] = 0;
    });
    expect(bench.kernel.mode).toBe('damp');
    expect(bench.kernel.arm(bench.state)).toBe(true);
  });
});
