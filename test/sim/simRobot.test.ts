import { describe, expect, it } from 'vitest';
import { SimRobot } from '../../sim/simRobot.js';
import { Random } from '../../src/base/random.js';
import { loadRobot } from '../../src/robot/load.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';
import { mujoco, pendulum, pendulumXml, RobotFolder } from './support.js';

const mj = await mujoco();
const folder = RobotFolder.forEachTest();

/** The pendulum without gravity: what moves it is its drives alone. */
const floating = pendulumXml.replace('<worldbody>', '<option gravity="0 0 0"/><worldbody>');

function make(simulation: Partial<typeof pendulum.simulation> = {}, model = floating): SimRobot {
  return new SimRobot(
    mj,
    folder.robot({ ...pendulum, simulation: { ...pendulum.simulation, ...simulation } }, model),
  );
}

function track(position_rad: number, torque_nm = 0): JointCommand {
  const command = new JointCommand(2);
  command.mode = DriveMode.track;
  command.position_rad.fill(position_rad);
  command.kp_nm_rad.fill(20);
  command.kd_nm_s_rad.fill(0.5);
  command.torque_nm.fill(torque_nm);
  return command;
}

const sample = () => new RobotState(2, 0);

describe('SimRobot as a driver', () => {
  it('gives each sample once, stamped with the time it was taken', () => {
    const sim = make();
    sim.reset(new Random(1), [0, 0]);
    const state = sample();
    expect(sim.read(state)).toBe(true);
    expect(sim.read(state)).toBe(false);
    for (let t = 0; t < 5; t++) sim.advance();
    expect(sim.read(state)).toBe(true);
    expect(state.time_s).toBeCloseTo(0.01, 12);
    sim.simulation.close();
  });

  it.each([0, 1, 3])('delivers a sample %i ticks late', (ticks) => {
    const sim = make({ sensor_latency_s: ticks / 500 });
    sim.reset(new Random(1), [0, 0]);
    const truth: number[] = [sim.truth.qpos[0]];
    const state = sample();
    for (let t = 1; t <= 20; t++) {
      sim.write(track(0.5));
      sim.advance();
      truth.push(sim.truth.qpos[0]);
      expect(sim.read(state)).toBe(true);
      expect(state.position_rad[0]).toBe(truth[Math.max(0, t - ticks)]);
      expect(state.time_s).toBeCloseTo(Math.max(0, t - ticks) / 500, 12);
    }
    sim.simulation.close();
  });

  it.each([0, 1, 3])('obeys a command %i ticks late', (ticks) => {
    const sim = make({ command_latency_s: ticks / 500 });
    sim.reset(new Random(1), [0, 0]);
    let moved = 0;
    for (let t = 1; t <= 20 && moved === 0; t++) {
      sim.write(track(0.5));
      sim.advance();
      if (sim.truth.qvel[0] !== 0) moved = t;
    }
    expect(moved).toBe(1 + ticks);
    sim.simulation.close();
  });

  it('repeats its last command when nobody writes', () => {
    const sim = make({ command_latency_s: 0.004 });
    sim.reset(new Random(1), [0, 0]);
    sim.write(track(0.4));
    for (let t = 0; t < 1000; t++) sim.advance();
    expect(sim.truth.qpos[0]).toBeCloseTo(0.4, 3);
    expect(sim.truth.qpos[1]).toBeCloseTo(0.4, 3);
    sim.simulation.close();
  });

  it('repeats its noise from a seed, in the size that robot.yaml says', () => {
    const sim = make({ position_noise_rad: 0.01, velocity_noise_rad_s: 0.2 });
    const readings = (seed: number) => {
      sim.reset(new Random(seed), [0.1, -0.1]);
      const state = sample();
      return Array.from({ length: 2000 }, () => {
        sim.advance();
        sim.read(state);
        return Array.from(state.flat);
      });
    };
    const [a, b, c] = [readings(5), readings(5), readings(6)];
    expect(b).toEqual(a);
    expect(c).not.toEqual(a);
    // Without gravity and drives the pendulum rests: all that is seen is noise.
    const spread = (column: number, mean: number) =>
      Math.sqrt(a.reduce((sum, row) => sum + (row[column] - mean) ** 2, 0) / a.length);
    expect(spread(2, 0.1)).toBeGreaterThan(0.0094);
    expect(spread(2, 0.1)).toBeLessThan(0.0106);
    expect(spread(4, 0)).toBeGreaterThan(0.188);
    expect(spread(4, 0)).toBeLessThan(0.212);
    sim.simulation.close();
  });

  it('starts alike whatever it was driven to before', () => {
    const noise = { position_noise_rad: 0.01 };
    const readings = (sim: SimRobot) => {
      sim.reset(new Random(5), [0.1, -0.1]);
      const state = sample();
      sim.read(state);
      const first = Array.from(state.flat);
      for (let t = 0; t < 50; t++) sim.advance();
      return [...first, ...sim.simulation.snapshot()];
    };
    const fresh = make(noise, pendulumXml);
    const used = make(noise, pendulumXml);
    used.reset(new Random(9), [1, 1]);
    for (let t = 0; t < 100; t++) {
      used.write(track(-0.7, 0.3));
      used.advance();
    }
    expect(readings(used)).toEqual(readings(fresh));
    fresh.simulation.close();
    used.simulation.close();
  });
});

describe('its drives', () => {
  it('off give no torque', () => {
    const sim = make();
    sim.reset(new Random(1), [0.5, -0.5]);
    const command = track(0, 1);
    command.mode = DriveMode.off;
    for (let t = 0; t < 100; t++) {
      sim.write(command);
      sim.advance();
      expect(Array.from(sim.simulation.data.actuator_force)).toEqual([0, 0]);
    }
    expect(Array.from(sim.truth.qpos)).toEqual([0.5, -0.5]);
    sim.simulation.close();
  });

  it('damping only brake, towards rest', () => {
    const sim = make();
    sim.reset(new Random(1), [0, 0]);
    sim.truth.qvel[0] = 3;
    const command = track(2);
    command.mode = DriveMode.damp;
    const energy: number[] = [];
    for (let t = 0; t < 500; t++) {
      sim.write(command);
      sim.advance();
      sim.simulation.data.actuator_force.forEach((torque, j) => {
        if (t > 0) expect(torque * sim.truth.qvel[j]).toBeLessThanOrEqual(1e-6);
      });
      energy.push(Math.hypot(...sim.truth.qvel));
    }
    expect(energy[499]).toBeLessThan(0.01);
    sim.simulation.close();
  });

  it('tracking make kp (q* − q) − kd v + τ of what is true', () => {
    const sim = make();
    sim.reset(new Random(1), [0.2, 0]);
    sim.write(track(0.25, 0.1));
    sim.advance();
    expect(sim.simulation.data.actuator_force[0]).toBeCloseTo(20 * 0.05 + 0.1, 6);
    sim.simulation.close();
  });

  it('have the torque limit up to half the no-load speed, and none at it', () => {
    const { torque_nm, no_load_speed_rad_s } = pendulum.joints[0];
    const sim = make();
    const torqueAt = (share: number, wanted: number) => {
      sim.reset(new Random(1), [0, 0]);
      sim.truth.qvel[0] = share * no_load_speed_rad_s;
      const command = track(0, wanted);
      command.kp_nm_rad.fill(0);
      command.kd_nm_s_rad.fill(0);
      sim.write(command);
      sim.advance();
      return sim.simulation.data.actuator_force[0];
    };
    expect(torqueAt(0, 100)).toBeCloseTo(torque_nm, 9);
    expect(torqueAt(0.5, 100)).toBeCloseTo(torque_nm, 9);
    expect(torqueAt(0.75, 100)).toBeCloseTo(torque_nm / 2, 9);
    expect(torqueAt(1, 100)).toBeCloseTo(0, 9);
    expect(torqueAt(1.2, 100)).toBeCloseTo(0, 9);
    // A motor brakes at any speed.
    expect(torqueAt(1, -100)).toBeCloseTo(-torque_nm, 9);
    sim.simulation.close();
  });
});

describe('its sensors on the quadruped', () => {
  it('at rest feel gravity upwards, the floor under each foot, and a level body', () => {
    const robot = loadRobot('quadruped');
    const { spec } = robot;
    const sim = new SimRobot(mj, robot);
    sim.noise = 0;
    const home = spec.joints.map((j) => j.home_rad);
    sim.reset(new Random(1), home, { height_m: 0.35, orientation: [1, 0, 0, 0] });
    const command = new JointCommand(spec.joints.length);
    command.mode = DriveMode.track;
    spec.joints.forEach((j, i) => {
      command.position_rad[i] = home[i];
      command.kp_nm_rad[i] = j.kp_nm_rad;
      command.kd_nm_s_rad[i] = j.kd_nm_s_rad;
    });
    const state = RobotState.for(spec);
    for (let t = 0; t < 1000; t++) {
      sim.write(command);
      sim.advance();
      sim.read(state);
    }
    const weight_n = 9.81 * sim.simulation.parameters.body_mass.reduce((a, b) => a + b, 0);
    expect(Math.hypot(...state.accel_m_s2)).toBeCloseTo(9.81, 1);
    expect(state.accel_m_s2[2]).toBeGreaterThan(9.7);
    expect(state.footForce_n.reduce((a, b) => a + b, 0)).toBeGreaterThan(0.95 * weight_n);
    expect(state.footForce_n.reduce((a, b) => a + b, 0)).toBeLessThan(1.05 * weight_n);
    for (const force of state.footForce_n) expect(force).toBeGreaterThan(0.1 * weight_n);
    expect(state.orientation[0]).toBeGreaterThan(0.99);
    sim.simulation.close();
  });
});
