import { describe, expect, it } from 'vitest';
import { sceneOf } from '../../sim/scene.js';
import { Simulation } from '../../sim/simulation.js';
import { Random } from '../../src/base/random.js';
import { ModelFrames, modelMarkers } from '../../src/dashboard/foxglove/modelTopics.js';
import { loadRobot } from '../../src/robot/load.js';
import { multiply, rotate } from '../../src/robot/rotation.js';
import { RobotState } from '../../src/robot/state.js';
import { decode } from '../../src/ros/codec.js';
import type { Quaternion, TFMessage, Vector3 } from '../../src/ros/types.js';
import { mujoco } from '../sim/support.js';

interface Pose {
  readonly p: Float64Array;
  readonly q: Float64Array;
}

/** Follows the frames of a message up to where they come from. */
function poseOf(frames: ReadonlyMap<string, TFMessage['transforms'][number]>, frame: string): Pose {
  const own = frames.get(frame);
  if (!own) return { p: new Float64Array(3), q: Float64Array.of(1, 0, 0, 0) };
  const parent = poseOf(frames, own.header.frame_id);
  const { translation: t, rotation: r } = own.transform;
  const p = new Float64Array(3);
  const q = new Float64Array(4);
  rotate(parent.q, [t.x, t.y, t.z], p);
  multiply(parent.q, [r.w, r.x, r.y, r.z], q);
  return { p: p.map((x, k) => x + parent.p[k]), q };
}

describe.each(['quadruped', 'arm-table'])('the model of the %s for viewers', (name) => {
  it('has every body where MuJoCo has it', async () => {
    const mj = await mujoco();
    const robot = loadRobot(name);
    const { spec } = robot;
    const frames = new ModelFrames(sceneOf(mj, robot), spec.base === 'floating');
    const simulation = new Simulation(mj, robot);
    const random = new Random(1);
    const state = RobotState.for(spec);
    const { parameters, data } = simulation;
    spec.joints.forEach((joint, j) => {
      state.position_rad[j] = random.uniform(...joint.position_rad);
      data.qpos[parameters.jnt_qposadr[simulation.id('joint', joint.name)]] = state.position_rad[j];
    });
    spec.objects.forEach((object, o) => {
      const body = simulation.id('body', `object_${object.name}`);
      if (object.mass_kg !== undefined) {
        const at = parameters.jnt_qposadr[parameters.body_jntadr[body]];
        for (let k = 0; k < 3; k++) data.qpos[at + k] = random.uniform(0, 0.3);
      }
      simulation.forward();
      for (let k = 0; k < 3; k++) state.object_m[3 * o + k] = data.xpos[3 * body + k];
    });
    if (spec.base === 'floating') data.qpos.set([0, 0, 0, 1, 0, 0, 0]);
    simulation.forward();
    const { transforms } = decode('tf2_msgs/msg/TFMessage', frames.write(state, { sec: 7, nanosec: 8 }));
    expect(transforms.every((t) => t.header.stamp.sec === 7)).toBe(true);
    const byName = new Map(transforms.map((t) => [t.child_frame_id, t]));
    for (const frame of byName.keys()) {
      const body = simulation.id('body', frame.replace(/^model\//, ''));
      const { p, q } = poseOf(byName, frame);
      const there = [0, 1, 2].map((k) => data.xpos[3 * body + k]);
      p.forEach((x, k) => {
        expect(x, `${frame} ${k}`).toBeCloseTo(there[k], 5);
      });
      // Columns of the rotation matrix, row by row.
      const axis = new Float64Array(3);
      [0, 1, 2].forEach((column) => {
        rotate(
          q,
          [0, 1, 2].map((k) => Number(k === column)),
          axis,
        );
        axis.forEach((x, k) => {
          expect(x, `${frame} axis ${column}`).toBeCloseTo(data.xmat[9 * body + 3 * k + column], 5);
        });
      });
    }
    simulation.close();
  });
});

it('sends each shape in the frame of its body, a capsule in three parts', async () => {
  const scene = sceneOf(await mujoco(), loadRobot('quadruped'));
  const { markers } = decode('visualization_msgs/msg/MarkerArray', modelMarkers(scene)) as {
    markers: {
      id: number;
      type: number;
      header: { frame_id: string };
      frame_locked: boolean;
      scale: Vector3;
      pose: { position: Vector3; orientation: Quaternion };
    }[];
  };
  const count = (type: number) => markers.filter((m) => m.type === type).length;
  // 2 boxes, 4 cylinders, 4 spheres, and 8 capsules.
  expect([count(1), count(3), count(2)]).toEqual([2, 4 + 8, 4 + 16]);
  expect(new Set(markers.map((m) => m.id)).size).toBe(markers.length);
  const frames = new Set(scene.bodies.map((b) => `model/${b.name}`));
  expect(markers.every((m) => m.frame_locked && frames.has(m.header.frame_id))).toBe(true);
});
