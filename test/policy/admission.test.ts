import { describe, expect, it } from 'vitest';
import { admit } from '../../src/policy/admission.js';
import type { Contract, Manifest } from '../../src/policy/manifest.js';
import { contents, contract, robot } from './example.js';

const manifest: Manifest = {
  format: 1,
  ...structuredClone(contents.manifest),
  network: { file: 'policy.onnx', sha256: '0'.repeat(64), ...contents.manifest.network },
};

const reasonsFor = (changes: Partial<Manifest>, task: Contract = contract) => {
  const result = admit({ ...manifest, ...changes }, { spec: robot, contract: task });
  return result.admitted ? [] : result.reasons;
};

const picture = (height: number, width: number) => ({
  ...{ name: 'camera_depth', size: height * width, unit: '1' },
  image: { height, width, channels: 1 },
});

describe('admission', () => {
  it('lets a policy in that matches, with and without a task', () => {
    expect(admit(manifest, { spec: robot, contract })).toEqual({ admitted: true });
    expect(admit(manifest, { spec: robot })).toEqual({ admitted: true });
  });

  const action = manifest.action;
  const [position, goal] = contract.observation;
  const cases: [string, Partial<Manifest>, string[]][] = [
    ['another robot', { robot: 'arm' }, ['the policy is for robot "arm", this is "pendulum"']],
    ['another rate', { policy_hz: 20 }, ['the policy acts at 20 Hz, the robot at 50 Hz']],
    [
      'joints in another order',
      { joints: ['elbow', 'shoulder'] },
      ['joint 0 of the policy is "elbow", of the robot "shoulder"'],
    ],
    [
      'a joint less',
      { joints: ['shoulder'], action: { ...action, centre_rad: [0.5], scale_rad: [0.4] } },
      [
        'the policy moves 1 joints (shoulder), the robot has 2 (shoulder, elbow)',
        'the policy has 1 actions, the task takes 2',
      ],
    ],
    [
      'actions beyond a limit',
      { action: { ...action, scale_rad: [0.4, 1.6] } },
      [
        'actions reach [-1.1, 2.1] rad, elbow is limited to [-1, 2] rad',
        'action of elbow: scale_rad is 1.6 for the policy, 0.4 for the task',
      ],
    ],
    [
      'another centre',
      { action: { ...action, centre_rad: [0.5, 0.2] } },
      ['action of elbow: centre_rad is 0.2 for the policy, 0.5 for the task'],
    ],
    [
      'another kind of action',
      { action: { ...action, kind: 'delta' } },
      ['the policy\'s actions are of kind "delta", the task takes "residual"'],
    ],
    [
      'parts of the observation in another order',
      { observation: [goal, position] },
      [
        'part 0 of the observation: the policy expects goal (1, m), the task gives joint_position (2, rad)',
        'part 1 of the observation: the policy expects joint_position (2, rad), the task gives goal (1, m)',
      ],
    ],
    [
      'another unit',
      { observation: [position, { ...goal, unit: 'mm' }] },
      ['part 1 of the observation: the policy expects goal (1, mm), the task gives goal (1, m)'],
    ],
    [
      'a part more',
      { observation: [position, goal, { name: 'gyro', size: 3, unit: 'rad/s' }] },
      ['part 2 of the observation: the policy expects gyro (3, rad/s), the task gives nothing'],
    ],
    [
      'a picture where the robot has no camera',
      { observation: [position, goal, picture(16, 16)] },
      [
        'part 2 of the observation: the policy expects camera_depth (a picture of 16×16×1, 1), the task gives nothing',
      ],
    ],
  ];
  it.each(cases)('refuses %s and names both sides', (_, changes, reasons) => {
    expect(reasonsFor(changes)).toEqual(reasons);
  });

  it('lets a policy that sees in where the picture has its shape, not where it has as many pixels in another', () => {
    const seeing = { observation: [position, goal, picture(16, 16)] };
    const given = (height: number, width: number) =>
      reasonsFor(seeing, { ...contract, observation: [position, goal, picture(height, width)] });
    expect(given(16, 16)).toEqual([]);
    expect(given(8, 32)).toEqual([
      'part 2 of the observation: the policy expects camera_depth (a picture of 16×16×1, 1), the task gives camera_depth (a picture of 8×32×1, 1)',
    ]);
  });

  it('says everything that is wrong at once', () => {
    expect(reasonsFor({ robot: 'arm', policy_hz: 20, joints: ['elbow', 'shoulder'] })).toHaveLength(3);
  });

  it('allows delta actions, but none that could cross a whole joint range at once', () => {
    const delta = (scale: number): Contract['action'] => ({
      kind: 'delta',
      centre_rad: [0, 0],
      scale_rad: [scale, 0.1],
    });
    const withAction = (a: Contract['action']) =>
      reasonsFor(
        { action: { ...a, centre_rad: [...a.centre_rad], scale_rad: [...a.scale_rad] } },
        {
          ...contract,
          action: a,
        },
      );
    expect(withAction(delta(0.1))).toEqual([]);
    expect(withAction(delta(3.5))).toEqual([
      'one action moves the target by up to 3.5 rad, shoulder is limited to [-1, 2] rad',
    ]);
  });

  it('keeps actions that approach a target inside the limits, at the pace of the task', () => {
    const approach = (scale: number, share: number): Manifest['action'] => ({
      kind: 'approach',
      centre_rad: [0.5, 0.5],
      scale_rad: [scale, 0.1],
      share,
    });
    const given = (policy: Manifest['action'], task: Contract['action']) =>
      reasonsFor({ action: policy }, { ...contract, action: task });
    expect(given(approach(1.5, 0.25), approach(1.5, 0.25))).toEqual([]);
    expect(given(approach(2, 0.25), approach(2, 0.25))).toEqual([
      'actions reach [-1.5, 2.5] rad, shoulder is limited to [-1, 2] rad',
    ]);
    expect(given(approach(1.5, 0.5), approach(1.5, 0.25))).toEqual([
      "the policy's actions go 0.5 of the way in a step, the task's 0.25",
    ]);
  });

  it('forgives digits that were lost in a text file', () => {
    expect(reasonsFor({ action: { ...action, centre_rad: [0.5 + 1e-8, 0.5] } })).toEqual([]);
  });
});
