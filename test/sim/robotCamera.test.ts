import { describe, expect, it } from 'vitest';
import { SimRobot } from '../../sim/simRobot.js';
import { UserError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import type { CameraSpec } from '../../src/robot/cameraSpec.js';
import { DriveMode, JointCommand, RobotState } from '../../src/robot/state.js';
import { mujoco, pendulum, RobotFolder } from './support.js';

const mj = await mujoco();
const folder = RobotFolder.forEachTest();

const DOWN = Math.PI / 2;
const mounted: Partial<CameraSpec> = {
  ...{ kind: 'depth', width: 16, height: 8, fov_rad: 0.8 },
  ...{ position_m: [2, 0, 1], rpy_rad: [0, 0, 0], range_m: [0.5, 1.5] },
};

function make(camera: Partial<CameraSpec>, more: object = {}): SimRobot {
  return new SimRobot(mj, folder.robot({ ...pendulum, camera: { ...mounted, ...camera }, ...more }));
}

/** What a camera sees of the pendulum in a pose, rows from the top. */
function seen(camera: Partial<CameraSpec>, q_rad = [0, 0], more: object = {}): number[][] {
  const sim = make(camera, more);
  const state = RobotState.for(sim.spec);
  sim.reset(new Random(1), q_rad);
  sim.read(state);
  sim.dispose();
  const { width, height } = sim.spec.camera!;
  return Array.from({ length: height }, (_, row) => [
    ...state.image.subarray(row * width, (row + 1) * width),
  ]);
}

describe('a depth camera', () => {
  it('straight above the floor sees all of it at its own height', () => {
    for (const pixel of seen({ rpy_rad: [0, DOWN, 0] }).flat()) expect(pixel).toBeCloseTo(0.5, 6);
    for (const pixel of seen({ rpy_rad: [0, DOWN, 0], position_m: [2, 0, 0.75] }).flat())
      expect(pixel).toBeCloseTo(0.75, 6);
  });

  it('gives 1 to what is nearer than its range and 0 to what is farther, and to the sky', () => {
    const floor = (range_m: [number, number]) => seen({ rpy_rad: [0, DOWN, 0], range_m }).flat();
    expect(new Set(floor([1.1, 2]))).toEqual(new Set([1]));
    expect(new Set(floor([0.1, 0.9]))).toEqual(new Set([0]));
    expect(new Set(seen({ rpy_rad: [0, -DOWN, 0] }).flat())).toEqual(new Set([0]));
  });

  it('looking ahead sees the floor come nearer towards the lower edge, each row at its depth', () => {
    const rows = seen({ range_m: [0, 20] });
    for (const row of rows.slice(0, 4)) expect(new Set(row)).toEqual(new Set([0]));
    const pixel = Math.tan(0.4) / 4;
    for (const [k, row] of rows.slice(4).entries())
      for (const value of row) expect(value).toBeCloseTo(1 - 1 / (pixel * (k + 0.5)) / 20, 6);
  });

  it('has left on the left', () => {
    const box = { name: 'box', shape: 'box', size_m: [0.1, 0.1, 0.1], x_m: [3, 3], y_m: [0.3, 0.3] };
    const [row] = seen({ position_m: [2, 0, 0.1], range_m: [0.5, 1] }, [0, 0], { objects: [box] }).slice(3);
    expect(row.slice(0, 8).some((value) => value > 0)).toBe(true);
    expect(row.slice(8).every((value) => value === 0)).toBe(true);
  });

  it('goes with the body that it is mounted on, and looks through that body alone', () => {
    // In the middle of the base, whose box is all about it.
    expect(new Set(seen({ position_m: [0, 0, 0] })[0])).toEqual(new Set([0]));
    // Half a metre up the upper link, which lies forward: the floor is 0.5 m below.
    const onLink: Partial<CameraSpec> = { link: 'upper', position_m: [0, 0, 0.5], fov_rad: 0.3 };
    for (const pixel of seen({ ...onLink, range_m: [0, 1] }, [DOWN, 0]).flat())
      expect(pixel).toBeCloseTo(0.5, 6);
    // At the root of the upper link it sees the lower one go away from it.
    const along: Partial<CameraSpec> = { link: 'upper', position_m: [0, 0, 0], rpy_rad: [0, -DOWN, 0] };
    expect(Math.max(...seen({ ...along, fov_rad: 0.2, range_m: [0, 1] }).flat())).toBeCloseTo(0.81, 2);
  });
});

it('a gray camera sees how bright things are', () => {
  const gray = { kind: 'gray', range_m: undefined } as const;
  const sky = (0.299 * 150 + 0.587 * 180 + 0.114 * 205) / 255;
  for (const pixel of seen({ ...gray, rpy_rad: [0, -DOWN, 0] }).flat()) expect(pixel).toBeCloseTo(sky, 6);
  // Nearly straight down: the two kinds of tiles under full light.
  const floor = seen({ ...gray, rpy_rad: [0, DOWN, 0], fov_rad: 0.2 }).flat();
  for (const pixel of floor)
    expect(Math.min(Math.abs(pixel - 0.45), Math.abs(pixel - 0.6))).toBeLessThan(0.01);
  expect(new Set(floor.map((pixel) => pixel > 0.5)).size).toBe(2);
});

describe('the pictures of a robot that moves', () => {
  const camera: Partial<CameraSpec> = {
    ...{ link: 'lower', position_m: [0, 0, 0.1], rpy_rad: [0, DOWN / 2, 0] },
  };

  /** The picture and the position in the sample of each tick. */
  function film(more: Partial<CameraSpec>, latency_ticks: number) {
    const simulation = { ...pendulum.simulation, sensor_latency_s: latency_ticks / 500 };
    const sim = make({ ...camera, ...more }, { simulation });
    sim.reset(new Random(1), [0, 0]);
    const state = RobotState.for(sim.spec);
    const swing = new JointCommand(2);
    swing.mode = DriveMode.track;
    swing.position_rad.fill(1);
    swing.kp_nm_rad.fill(5);
    return Array.from({ length: 60 }, (_, t) => {
      if (t > 0) {
        sim.write(swing);
        sim.advance();
      }
      sim.read(state);
      if (t === 59) sim.dispose();
      return `${state.image}`;
    });
  }

  it('come at the rate of the camera, of the policy where it says none', () => {
    const changes = (frames: string[]) =>
      frames.flatMap((frame, t) => (t > 0 && frame !== frames[t - 1] ? [t] : []));
    expect(changes(film({}, 0))).toEqual([10, 20, 30, 40, 50]);
    expect(changes(film({ rate_hz: 20 }, 0))).toEqual([25, 50]);
  });

  it('are as late as all of the sample, and the same again', () => {
    const [prompt, late] = [film({ rate_hz: 100 }, 0), film({ rate_hz: 100 }, 3)];
    expect(late.slice(3)).toEqual(prompt.slice(0, -3));
    expect(film({ rate_hz: 100 }, 3)).toEqual(late);
  });
});

it('a body that the model does not have is named', () => {
  expect(() => make({ link: 'head' })).toThrow(UserError);
  expect(() => make({ link: 'head' })).toThrow(
    'camera: link: the model has no body "head"; it has base, upper, lower',
  );
});
