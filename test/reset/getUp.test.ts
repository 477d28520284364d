import { afterEach, describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/errors.js';
import { GetUpPolicy } from '../../src/reset/getUpPolicy.js';
import { GetUpScript } from '../../src/reset/getUpScript.js';
import { learnedGetUp } from '../../src/reset/learnedGetUp.js';
import { loadRobot } from '../../src/robot/load.js';
import { Ground } from './ground.js';

const { spec } = loadRobot('quadruped');
let ground: Ground | undefined;
afterEach(() => {
  ground?.env.close();
  ground = undefined;
});

const rolled = (roll_rad: number) => [Math.cos(roll_rad / 2), Math.sin(roll_rad / 2), 0, 0];

describe('the script', () => {
  it.each([
    ['its back', Math.PI],
    ['its left side', -Math.PI / 2],
    ['its right side', Math.PI / 2],
    ['its belly', 0],
  ])('gets the quadruped up from %s', async (_where, roll_rad) => {
    ground = await Ground.of('quadruped', 'rise', {
      orientation: rolled(roll_rad),
      position_rad: spec.stop.pose_rad,
    });
    ground.env.reset(1);
    expect(ground.lead(new GetUpScript(spec), 15)).toBe('done');
    expect(ground.env.robot.truth.qpos[2]).toBeGreaterThan(0.25);
    expect(ground.env.control.kernel.authority).toBe('recovery');
  });

  it('gets it up however it lies', async () => {
    ground = await Ground.of('quadruped', 'rise');
    for (let seed = 0; seed < 6; seed++) {
      ground.env.reset(seed);
      expect([seed, ground.lead(new GetUpScript(spec), 15)]).toEqual([seed, 'done']);
    }
  });

  it('gives up where it cannot', async () => {
    ground = await Ground.of('quadruped', 'rise', {
      orientation: rolled(Math.PI),
      position_rad: spec.stop.pose_rad,
    });
    ground.env.reset(1);
    // Poses that lead nowhere.
    const fold = { ...spec.get_up!.fold, seconds: 0.1, hold_s: 0 };
    const helpless = { ...spec, get_up: { ...spec.get_up!, fold, roll: [fold] } };
    expect(ground.lead(new GetUpScript(helpless), 15)).toBe('failed');
  });

  it('is refused for a robot whose robot.yaml has no poses for it', () => {
    expect(() => new GetUpScript({ ...spec, get_up: undefined })).toThrow(UserError);
  });
});

describe('the shipped policy', () => {
  it('gets it up however it lies', async () => {
    ground = await Ground.of('quadruped', 'rise');
    const behaviour = learnedGetUp(spec);
    expect(behaviour?.name).toBe('get up as learned');
    for (let seed = 0; seed < 6; seed++) {
      ground.env.reset(seed);
      expect([seed, ground.lead(behaviour!, 15)]).toEqual([seed, 'done']);
      expect(ground.env.robot.truth.qpos[2]).toBeGreaterThan(0.2);
    }
  });

  it('has failed once nothing moves any more, so that the script may try', async () => {
    ground = await Ground.of('quadruped', 'rise', {
      orientation: rolled(Math.PI),
      position_rad: spec.stop.pose_rad,
    });
    ground.env.reset(1);
    const idle = {
      observationSize: ground.env.observation.length,
      actionSize: spec.joints.length,
      act: (_observation: Float32Array, action: Float32Array) => action.fill(0),
      reset() {},
    };
    const began_s = ground.env.robot.time_s;
    expect(ground.lead(new GetUpPolicy(spec, ground.env.task, idle), 15)).toBe('failed');
    expect(ground.env.robot.time_s - began_s).toBeLessThan(3);
  });

  it('is found for its own robot alone, and another task’s is refused', () => {
    expect(learnedGetUp({ ...spec, name: 'another' })).toBeUndefined();
    expect(() => learnedGetUp(spec, 'quadruped-walk')).toThrow(/quadruped-walk is refused for getting up/);
  });
});
