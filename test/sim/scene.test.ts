import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadMujoco } from '../../sim/mujoco.js';
import { sceneOf } from '../../sim/scene.js';
import { loadRobot } from '../../src/robot/load.js';

const mj = await loadMujoco();
const folder = mkdtempSync(join(tmpdir(), 'scene-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('has the bodies, joints and shapes of the model', () => {
  const robot = loadRobot('quadruped');
  const { bodies, geoms } = sceneOf(mj, robot);
  expect(bodies[0]).toMatchObject({ name: 'trunk', parent: -1, joints: [] });
  expect(bodies.flatMap((b) => b.joints.map((j) => robot.spec.joints[j.index].name))).toEqual(
    robot.spec.joints.map((j) => j.name),
  );
  expect(bodies.every((b, i) => b.parent < i)).toBe(true);
  const shapes = (kind: string) => geoms.filter((g) => g.kind === kind).length;
  expect([shapes('box'), shapes('cylinder'), shapes('capsule'), shapes('sphere')]).toEqual([2, 4, 8, 4]);
  // The floor belongs to the world.
  expect(geoms.every((g) => g.body >= 0)).toBe(true);
});

it('carries meshes, and leaves out collision shapes', () => {
  const robot = loadRobot('arm');
  writeFileSync(
    join(folder, 'corner.obj'),
    'v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n',
  );
  writeFileSync(
    join(folder, 'model.xml'),
    `<mujoco>
      <compiler angle="radian"/>
      <asset><mesh name="corner" file="corner.obj" scale="0.1 0.1 0.1"/></asset>
      <worldbody><body name="base">
        <geom type="mesh" mesh="corner" rgba="1 0 0 1"/>
        <geom type="box" size="0.1 0.1 0.1" group="3"/>
        <body name="link" pos="0 0 0.1">
          <joint name="hinge" axis="0 0 1"/>
          <geom type="sphere" size="0.01"/>
        </body>
      </body></worldbody>
    </mujoco>`,
  );
  const spec = { ...robot.spec, joints: [{ ...robot.spec.joints[0], name: 'hinge' }], chains: [] };
  const { geoms, meshes } = sceneOf(mj, { ...robot, spec, modelPath: join(folder, 'model.xml') });
  expect(geoms.map((g) => [g.kind, g.mesh])).toEqual([
    ['mesh', 0],
    ['sphere', -1],
  ]);
  const bytes = Buffer.from(meshes[0].vertices_m, 'base64');
  const vertices = new Float32Array(new Uint8Array(bytes).buffer);
  expect(vertices).toHaveLength(12);
  // MuJoCo turns a mesh into its own frame of inertia: lengths stay.
  const corners = [0, 3, 6, 9].map((at) => vertices.slice(at, at + 3));
  const edges = corners.flatMap((a, i) =>
    corners.slice(i + 1).map((b) => Math.hypot(...a.map((x, k) => x - b[k]))),
  );
  expect(Math.max(...edges)).toBeCloseTo(0.1 * Math.SQRT2, 5);
  expect(Buffer.from(meshes[0].faces, 'base64')).toHaveLength(4 * 3 * 4);
});
