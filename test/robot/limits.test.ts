import { describe, expect, it } from 'vitest';
import { tighten } from '../../src/robot/limits.js';
import { loadRobot } from '../../src/robot/load.js';

const { spec } = loadRobot('arm');

describe('tighten', () => {
  it('leaves a robot as it is where nothing is said', () => {
    expect(tighten(spec, {}, 'here')).toEqual(spec);
  });

  it('lowers limits of one joint, of all others, and of the robot', () => {
    const tighter = tighten(
      spec,
      {
        joints: { all: { velocity_rad_s: 1 }, gripper: { position_rad: [0, 1], torque_nm: 1 } },
        power_w: 10,
        geofence: { side_m: 4 },
        person: { tool_m_s: 0.1 },
      },
      'here',
    );
    expect(tighter.joints.map((j) => j.velocity_rad_s)).toEqual([1, 1, 1, 1, 1, 4]);
    expect(tighter.joints[5]).toMatchObject({ position_rad: [0, 1], torque_nm: 1 });
    expect(tighter).toMatchObject({ power_w: 10, geofence: { side_m: 4 } });
    expect(tighter.person).toEqual({ ...spec.person, tool_m_s: 0.1 });
  });

  it.each([
    [
      { joints: { all: { velocity_rad_s: 5 } } },
      'shoulder_pan.velocity_rad_s: 5 is looser than the 4 of arm',
    ],
    [{ joints: { elbow_flex: { position_rad: [-2, 1] } } }, 'elbow_flex.position_rad: [-2,1] is not inside'],
    [{ joints: { all: { jerk_rad_s3: 1e9 } } }, 'jerk_rad_s3: 1000000000 is looser'],
    [{ power_w: 26 }, 'power_w: 26 is looser than the 25 of arm'],
    [{ person: { tool_m_s: 0.3 } }, 'person.tool_m_s: 0.3 is looser'],
    [{ workspace: { low_m: [-1, 0, 0], high_m: [0.1, 0.1, 0.1] } }, 'workspace.x: [-1,0.1] is not inside'],
    [{ joints: { tail: {} } }, 'no joint "tail"'],
    [{ torque: 3 }, 'torque'],
  ])('refuses %j', (limits, message) => {
    expect(() => tighten(spec, limits, 'there.yaml')).toThrow(message);
    expect(() => tighten(spec, limits, 'there.yaml')).toThrow('there.yaml');
  });
});
