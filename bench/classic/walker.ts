import type { Mujoco } from '../../sim/mujoco.js';
import type { Random } from '../../src/base/random.js';
import type { ClassicTask } from './task.js';
import { tolerance } from './tolerance.js';
import { World } from './world.js';

/** Torque at an action of 1, N m, and range, degrees. */
const JOINTS = {
  hip: { torque_nm: 100, range_deg: [-20, 100] },
  knee: { torque_nm: 50, range_deg: [-150, 0] },
  ankle: { torque_nm: 20, range_deg: [-45, 45] },
} as const;
type JointName = keyof typeof JOINTS;
const SIDES = ['right', 'left'] as const;

const joint = (side: string, name: JointName, at: string) =>
  `<joint name="${side} ${name}" axis="0 -1 0" pos="${at}" range="${JOINTS[name].range_deg.join(' ')}" class="limb"/>`;

/** Lengths in metres: thigh 0.45, shin 0.5, foot 0.2; each part hangs from the end of the one before. */
const leg = (side: (typeof SIDES)[number]) => `
  <body name="${side} thigh" pos="0 ${side === 'right' ? -0.05 : 0.05} -0.3">
    ${joint(side, 'hip', '0 0 0')}
    <geom type="capsule" fromto="0 0 0 0 0 -0.45" size="0.05"/>
    <body name="${side} shin" pos="0 0 -0.7">
      ${joint(side, 'knee', '0 0 0.25')}
      <geom type="capsule" fromto="0 0 0.25 0 0 -0.25" size="0.04"/>
      <body name="${side} foot" pos="0.06 0 -0.25">
        ${joint(side, 'ankle', '-0.06 0 0')}
        <geom type="capsule" fromto="-0.1 0 0 0.1 0 0" size="0.05"/>
      </body>
    </body>
  </body>`;

/**
 * A planar biped of seven capsules: a torso of 0.6 m on two legs with hip, knee and ankle; the figures of the
 * control suite's walker (Tassa et al. 2018, after Lillicrap et al. 2015).
 */
const MODEL = `
<mujoco model="planar walker">
  <option timestep="0.0025"/>
  <default>
    <geom contype="1" conaffinity="0" friction="0.7 0.1 0.1"/>
    <default class="limb"><joint limited="true" damping="0.1" armature="0.01" solimplimit="0 0.99 0.01"/></default>
  </default>
  <worldbody>
    <geom type="plane" size="100 1 0.5" conaffinity="1"/>
    <body name="torso" pos="0 0 1.3">
      <joint name="height" type="slide" axis="0 0 1"/>
      <joint name="way" type="slide" axis="1 0 0"/>
      <joint name="lean" type="hinge" axis="0 1 0"/>
      <geom type="capsule" fromto="0 0 -0.3 0 0 0.3" size="0.07"/>
      ${SIDES.map(leg).join('')}
    </body>
  </worldbody>
  <actuator>
    ${SIDES.flatMap((side) =>
      Object.entries(JOINTS).map(
        ([name, { torque_nm }]) =>
          `<motor joint="${side} ${name}" gear="${torque_nm}" ctrlrange="-1 1" ctrllimited="true"/>`,
      ),
    ).join('')}
  </actuator>
  <sensor><subtreelinvel name="velocity" body="torso"/></sensor>
</mujoco>`;

const PHYSICS_STEPS = 10;
const STANDS_M = 1.2;
const WALKS_M_S = 1;
const RANGES_RAD = SIDES.flatMap(() =>
  Object.values(JOINTS).map(({ range_deg }) => range_deg.map((d) => (d * Math.PI) / 180)),
);

/** Walk at 1 m/s or faster, upright, from a random pose. */
export function walkerWalk(mj: Mujoco): ClassicTask {
  const world = new World(mj, MODEL);
  const torso = world.body('torso');
  const bodies = [
    torso,
    ...SIDES.flatMap((side) => ['thigh', 'shin', 'foot'].map((p) => world.body(`${side} ${p}`))),
  ];
  const joints = 3 + 2 * Object.keys(JOINTS).length;
  const observation = new Float32Array(2 * bodies.length + 1 + joints);
  const observe = () => {
    const { xmat, xpos, qvel } = world.data;
    let at = 0;
    for (const b of bodies) {
      observation[at++] = xmat[9 * b];
      observation[at++] = xmat[9 * b + 2];
    }
    observation[at++] = xpos[3 * torso + 2];
    for (let i = 0; i < joints; i++) observation[at++] = qvel[i];
  };
  const pose = (random: Random) => {
    const { qpos } = world.data;
    qpos[2] = random.uniform(-Math.PI, Math.PI);
    for (const [i, [low, high]] of RANGES_RAD.entries()) qpos[3 + i] = random.uniform(low, high);
  };
  return {
    name: 'walker-walk',
    observation,
    actions: RANGES_RAD.length,
    begin(random) {
      world.reset();
      pose(random);
      world.forward();
      observe();
    },
    frame(action) {
      const { ctrl } = world.data;
      for (let i = 0; i < ctrl.length; i++) ctrl[i] = Math.min(1, Math.max(-1, action[i]));
      world.step(PHYSICS_STEPS);
      observe();
      const { xmat, xpos, sensordata } = world.data;
      const standing = tolerance(xpos[3 * torso + 2], { bounds: [STANDS_M, Infinity], margin: STANDS_M / 2 });
      const upright = (1 + xmat[9 * torso + 8]) / 2;
      const moving = tolerance(sensordata[0], {
        bounds: [WALKS_M_S, Infinity],
        margin: WALKS_M_S / 2,
        atMargin: 0.5,
        falloff: 'linear',
      });
      return (((3 * standing + upright) / 4) * (5 * moving + 1)) / 6;
    },
    close: () => world.close(),
  };
}
