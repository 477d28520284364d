import { describe, expect, it } from 'vitest';
import { compileModel } from '../../sim/model.js';
import { SimRobot } from '../../sim/simRobot.js';
import { UserError } from '../../src/base/errors.js';
import { Random } from '../../src/base/random.js';
import type { Robot } from '../../src/robot/load.js';
import { mujoco, pendulum, pendulumXml, RobotFolder } from './support.js';

const mj = await mujoco();
const folder = RobotFolder.forEachTest();

function refusal(robot: Robot): string {
  try {
    compileModel(mj, robot).delete();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
  throw new Error('expected a refusal');
}

describe('compileModel', () => {
  it('adds floor and drives to a model that has neither', () => {
    const model = compileModel(mj, folder.robot());
    expect(model.nu).toBe(2);
    expect(mj.mj_name2id(model, mj.mjtObj.mjOBJ_GEOM.value, 'floor')).toBeGreaterThanOrEqual(0);
    expect(model.opt.timestep).toBe(1 / pendulum.rates.control_hz);
    model.delete();
  });

  it('refuses a joint of robot.yaml that the model lacks, and lists those that it has', () => {
    const joints = [...pendulum.joints, { ...pendulum.joints[0], name: 'wrist' }];
    const robot = folder.robot({
      ...pendulum,
      joints,
      stop: { ...pendulum.stop, pose_rad: [0, 0, 0] },
    });
    expect(refusal(robot)).toMatch(/joint "wrist" is not in .*model\.xml, which has shoulder, elbow/);
  });

  it('refuses a joint of the model that robot.yaml lacks', () => {
    const robot = folder.robot({
      ...pendulum,
      joints: [pendulum.joints[0]],
      chains: [],
      stop: { ...pendulum.stop, pose_rad: [0] },
    });
    expect(refusal(robot)).toMatch(/the model's joint "elbow" is not in robot\.yaml/);
  });

  it('refuses a range that reaches beyond that of the model', () => {
    const joints = [pendulum.joints[0], { ...pendulum.joints[1], position_rad: [-2, 2.5] }];
    expect(refusal(folder.robot({ ...pendulum, joints }))).toMatch(
      /joint "elbow": position_rad \[-2, 2\.5\] reaches beyond the model's range \[-2\.000, 2\.000\]/,
    );
  });

  it('refuses a chain whose lengths are not those of the model', () => {
    const chains = [{ ...pendulum.chains[0], tip_m: [0, 0, 0.12] }];
    expect(refusal(folder.robot({ ...pendulum, chains }))).toMatch(
      /chain "tip": its tip is 0\.0200 m from the model's site/,
    );
  });

  it('refuses a chain that is right at home only: it names the joint that bends otherwise', () => {
    const [first, second] = pendulum.chains[0].links;
    const chains = [{ ...pendulum.chains[0], links: [first, { ...second, axis: [1, 0, 0] }] }];
    expect(refusal(folder.robot({ ...pendulum, chains }))).toMatch(/bending joint "elbow"/);
  });

  it('refuses a chain without a site', () => {
    const chains = [{ ...pendulum.chains[0], name: 'hand' }];
    expect(refusal(folder.robot({ ...pendulum, chains }))).toMatch(/chain "hand" has no site/);
  });

  it('refuses a model with a free joint for a base that is fixed', () => {
    const robot = folder.robot(
      pendulum,
      pendulumXml.replace('<body name="base">', '<body name="base"><freejoint/>'),
    );
    expect(refusal(robot)).toMatch(/base is fixed, but .*model\.xml gives it a free joint/);
  });

  it('says file and place of XML that is broken, and of a model that is not one', () => {
    expect(refusal(folder.robot(pendulum, pendulumXml.replace('</mujoco>', '')))).toMatch(
      /model\.xml: does not compile/,
    );
    const unknown = pendulumXml.replace('<site ', '<sight ');
    expect(refusal(folder.robot(pendulum, unknown))).toMatch(/model\.xml: does not compile: .*sight/s);
    expect(refusal(folder.robot(pendulum, '<mujoco/>'))).toMatch(/no body in the world/);
  });

  it('names a model that is not there', () => {
    const robot = folder.robot({ ...pendulum, model: 'other.xml' });
    expect(refusal(robot)).toMatch(/robot\.yaml: model "other\.xml" cannot be read/);
  });

  it('finds meshes beside the model, in folders too', () => {
    folder.write('meshes/tetrahedron.stl', tetrahedron());
    const robot = folder.robot(
      pendulum,
      pendulumXml
        .replace('<worldbody>', '<asset><mesh name="t" file="meshes/tetrahedron.stl"/></asset><worldbody>')
        .replace('<site ', '<geom type="mesh" mesh="t" contype="0" conaffinity="0"/><site '),
    );
    const model = compileModel(mj, robot);
    expect(model.nmesh).toBe(1);
    model.delete();
  });

  it('names a mesh that is not there', () => {
    const robot = folder.robot(
      pendulum,
      pendulumXml.replace('<worldbody>', '<asset><mesh name="t" file="gone.stl"/></asset><worldbody>'),
    );
    expect(refusal(robot)).toMatch(/model\.xml: does not compile: .*gone\.stl/s);
  });
});

describe('a URDF', () => {
  const link = (name: string, z: number) => `
    <link name="${name}">
      <inertial><origin xyz="0 0 ${z}"/><mass value="0.2"/><inertia ixx="1e-3" iyy="1e-3" izz="1e-4" ixy="0" ixz="0" iyz="0"/></inertial>
    </link>`;
  const hinge = (name: string, parent: string, child: string, z: number, range: number) => `
    <joint name="${name}" type="revolute">
      <parent link="${parent}"/><child link="${child}"/>
      <origin xyz="0 0 ${z}"/><axis xyz="0 1 0"/>
      <limit lower="${-range}" upper="${range}" effort="2" velocity="8"/>
    </joint>`;
  const urdf = `<robot name="pendulum">
    <mujoco><compiler fusestatic="false" discardvisual="false"/></mujoco>
    ${link('base', 0)}${link('upper', 0.1)}${link('lower', 0.05)}
    ${hinge('shoulder', 'base', 'upper', 0.5, 3)}${hinge('elbow', 'upper', 'lower', 0.2, 2)}
  </robot>`;

  it('compiles and moves to where its drives are sent', () => {
    // A URDF has no sites, and so no chains.
    const robot = folder.robot({ ...pendulum, model: 'robot.urdf', chains: [] }, urdf, 'robot.urdf');
    const sim = new SimRobot(mj, robot);
    sim.reset(new Random(1), [0.3, 0]);
    expect(sim.truth.qpos).toHaveLength(2);
    for (let t = 0; t < 200; t++) sim.advance();
    // Upright pendulums fall when nothing drives them.
    expect(sim.truth.qpos[0]).toBeGreaterThan(0.5);
    sim.simulation.checkWarnings();
    sim.simulation.close();
  });

  it('that lacks a joint is refused like any other model', () => {
    const robot = folder.robot(
      { ...pendulum, model: 'robot.urdf', chains: [] },
      urdf.replace('name="elbow"', 'name="knee"'),
      'robot.urdf',
    );
    expect(refusal(robot)).toMatch(/joint "elbow" is not in .*robot\.urdf, which has shoulder, knee/);
  });
});

/** A tetrahedron as a binary STL: 80 bytes of header, a count, 50 bytes a face. */
function tetrahedron(): Uint8Array {
  const corners = [
    [0, 0, 0],
    [0.02, 0, 0],
    [0, 0.02, 0],
    [0, 0, 0.02],
  ];
  const faces = [
    [0, 2, 1],
    [0, 1, 3],
    [0, 3, 2],
    [1, 2, 3],
  ];
  const stl = new DataView(new ArrayBuffer(84 + 50 * faces.length));
  stl.setUint32(80, faces.length, true);
  faces.forEach((face, f) => {
    face.forEach((corner, c) => {
      corners[corner].forEach((x, k) => {
        stl.setFloat32(84 + 50 * f + 12 + 12 * c + 4 * k, x, true);
      });
    });
  });
  return new Uint8Array(stl.buffer);
}
