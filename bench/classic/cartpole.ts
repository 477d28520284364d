import type { Mujoco } from '../../sim/mujoco.js';
import type { ClassicTask } from './task.js';
import { tolerance } from './tolerance.js';
import { World } from './world.js';

/**
 * A cart of 1 kg on 3.6 m of rail and a pole of 1 m and 0.1 kg that hangs from it, pushed with 10 N at most: the
 * figures of the control suite's (Tassa et al. 2018, after Barto, Sutton and Anderson 1983).
 */
const MODEL = `
<mujoco model="cart and pole">
  <option timestep="0.01" integrator="RK4"><flag contact="disable"/></option>
  <worldbody>
    <body name="cart">
      <joint name="rail" type="slide" axis="1 0 0" range="-1.8 1.8" limited="true" solreflimit="0.08 1" damping="5e-4"/>
      <geom type="box" size="0.2 0.15 0.1" mass="1"/>
      <body name="pole">
        <joint name="pivot" axis="0 1 0" damping="2e-6"/>
        <geom type="capsule" fromto="0 0 0 0 0 1" size="0.045" mass="0.1"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="rail" gear="10" ctrlrange="-1 1" ctrllimited="true"/></actuator>
</mujoco>`;

const START_DEVIATION = 0.01;

/**
 * Swing the pole up and balance it in the middle of the rail. The reward is a product: the pole's uprightness, and
 * how near the middle the cart, how small the push and how slow the pole is.
 */
export function cartpoleSwingUp(mj: Mujoco): ClassicTask {
  const world = new World(mj, MODEL);
  const observation = new Float32Array(5);
  const observe = () => {
    const { qpos, qvel } = world.data;
    observation.set([qpos[0], Math.cos(qpos[1]), Math.sin(qpos[1]), qvel[0], qvel[1]]);
  };
  return {
    name: 'cartpole-swing-up',
    observation,
    actions: 1,
    begin(random) {
      world.reset();
      const { qpos, qvel } = world.data;
      qpos[0] = START_DEVIATION * random.normal();
      qpos[1] = Math.PI + START_DEVIATION * random.normal();
      for (const i of [0, 1]) qvel[i] = START_DEVIATION * random.normal();
      world.forward();
      observe();
    },
    frame(action) {
      const push = Math.min(1, Math.max(-1, action[0]));
      world.data.ctrl[0] = push;
      world.step(1);
      observe();
      const { qpos, qvel } = world.data;
      const upright = (Math.cos(qpos[1]) + 1) / 2;
      const centred = (1 + tolerance(qpos[0], { margin: 2 })) / 2;
      const gentle = (4 + tolerance(push, { margin: 1, atMargin: 0, falloff: 'quadratic' })) / 5;
      const slow = (1 + tolerance(qvel[1], { margin: 5 })) / 2;
      return upright * centred * gentle * slow;
    },
    close: () => world.close(),
  };
}
