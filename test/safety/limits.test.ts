import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadRobot } from '../../src/robot/load.js';
import { DriveMode } from '../../src/robot/state.js';
import { drivingPower_w } from '../../src/safety/power.js';
import { live, lives, tracks } from './scenario.js';

/** Repeatable, and enough for every kind of incident to meet every mode. */
const runs = { seed: 1, numRuns: 300 };

describe.each(['quadruped', 'arm'])('whatever comes in, on the %s', (name) => {
  const { spec } = loadRobot(name);
  const dt_s = 1 / spec.rates.control_hz;

  it('the command is finite, inside the position limits and made with the gains of robot.yaml', () => {
    let tracked = 0;
    fc.assert(
      fc.property(lives(spec), (ticks) => {
        live(spec, ticks, ({ kernel }) => {
          const { command } = kernel;
          for (let j = 0; j < spec.joints.length; j++) {
            const { position_rad, kp_nm_rad, kd_nm_s_rad } = spec.joints[j];
            expect(command.position_rad[j]).toBeGreaterThanOrEqual(position_rad[0]);
            expect(command.position_rad[j]).toBeLessThanOrEqual(position_rad[1]);
            expect(command.velocity_rad_s[j]).toBe(0);
            expect(command.torque_nm[j]).toBe(0);
            const kp = command.mode === DriveMode.track ? kp_nm_rad : 0;
            expect(command.kp_nm_rad[j]).toBe(kp);
            expect(command.kd_nm_s_rad[j]).toBeGreaterThanOrEqual(0);
            expect(command.kd_nm_s_rad[j]).toBeLessThanOrEqual(kd_nm_s_rad);
          }
          if (tracks(kernel)) tracked++;
        });
      }),
      runs,
    );
    expect(tracked).toBeGreaterThan(1000);
  });

  it('the torque that the drives make of the command is inside the torque limits', () => {
    fc.assert(
      fc.property(lives(spec), (ticks) => {
        live(spec, ticks, ({ kernel, state, incident }) => {
          if (!tracks(kernel) || incident.kind === 'sensor_value') return;
          const { command } = kernel;
          for (let j = 0; j < spec.joints.length; j++) {
            const torque =
              command.kp_nm_rad[j] * (command.position_rad[j] - state.position_rad[j]) -
              command.kd_nm_s_rad[j] * state.velocity_rad_s[j];
            expect(Math.abs(torque)).toBeLessThanOrEqual(spec.joints[j].torque_nm * (1 + 1e-8));
          }
        });
      }),
      runs,
    );
  });

  it('the power that the drives put out is inside the power limit', () => {
    fc.assert(
      fc.property(lives(spec), (ticks) => {
        live(spec, ticks, ({ kernel, state, incident }) => {
          if (!tracks(kernel) || incident.kind === 'sensor_value' || incident.kind === 'sensor_age') return;
          const power = drivingPower_w(spec, kernel.command.position_rad, state);
          expect(power).toBeLessThanOrEqual(spec.power_w * (1 + 1e-8));
        });
      }),
      runs,
    );
  });

  it('the targets keep to the velocity and acceleration limits from tick to tick', () => {
    fc.assert(
      fc.property(lives(spec), (ticks) => {
        const last = new Float64Array(spec.joints.length);
        const lastVelocity = new Float64Array(spec.joints.length);
        let following = false;
        live(spec, ticks, ({ kernel, state, incident }) => {
          // Taking up starts anew, at rest, where the joints are.
          if (!tracks(kernel) || (incident.kind === 'arm' && !kernel.latched)) following = false;
          if (!tracks(kernel)) return;
          for (let j = 0; j < last.length; j++) {
            const { position_rad, velocity_rad_s, acceleration_rad_s2 } = spec.joints[j];
            const [low, high] = position_rad;
            const from = following ? last[j] : Math.min(high, Math.max(low, state.position_rad[j]));
            const velocity = (kernel.executed_rad[j] - from) / dt_s;
            const before = following ? lastVelocity[j] : 0;
            expect(Math.abs(velocity)).toBeLessThanOrEqual(velocity_rad_s + 1e-6);
            expect(Math.abs(velocity - before)).toBeLessThanOrEqual(acceleration_rad_s2 * dt_s + 1e-6);
            last[j] = kernel.executed_rad[j];
            lastVelocity[j] = velocity;
          }
          following = true;
        });
      }),
      runs,
    );
  });

  it('an emergency stop stays until it is reset', () => {
    fc.assert(
      fc.property(lives(spec), (ticks) => {
        let latched = false;
        live(spec, ticks, ({ kernel, incident }) => {
          if (incident.kind === 'emergency_stop') latched = true;
          if (incident.kind === 'reset') latched = false;
          if (!latched) return;
          expect(kernel.latched).toBeDefined();
          expect(['idle', 'stopping', 'stopped', 'damp']).toContain(kernel.mode);
        });
      }),
      runs,
    );
  });

  it('a robot without torque gets none by anything but arming', () => {
    fc.assert(
      fc.property(lives(spec), (ticks) => {
        live(spec, ticks, ({ kernel, incident, before }) => {
          if (before !== 'idle' || incident.kind === 'arm') return;
          expect(kernel.command.mode).toBe(DriveMode.off);
        });
      }),
      runs,
    );
  });
});
