import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimRobot } from '../../sim/simRobot.js';
import { Random } from '../../src/base/random.js';
import { Chain, contactVelocity } from '../../src/robot/kinematics.js';
import { loadRobot } from '../../src/robot/load.js';
import { gravityInBody, rotate, rotateInverse } from '../../src/robot/rotation.js';
import { mujoco } from '../sim/support.js';

const POSES = 50;

describe.each(['quadruped', 'arm'])('the chains of the %s', (name) => {
  const robot = loadRobot(name);
  const { spec } = robot;
  const floating = spec.base === 'floating';
  const n = spec.joints.length;
  const chains = spec.chains.map((c) => new Chain(c, spec));
  let sim: SimRobot;
  beforeAll(async () => {
    sim = new SimRobot(await mujoco(), robot);
  });
  afterAll(() => sim.simulation.close());

  const anyPose = (random: Random) =>
    Float64Array.from(spec.joints, (j) => random.uniform(j.position_rad[0], j.position_rad[1]));

  /** A random orientation, uniform over all. */
  const anyOrientation = (random: Random) => {
    const q = Float64Array.from({ length: 4 }, () => random.normal());
    const norm = Math.hypot(...q);
    return q.map((x) => x / norm);
  };

  it("end where MuJoCo's sites are, at any joint angles and any orientation of the base", () => {
    const random = new Random(11);
    const inBase = new Float64Array(3);
    for (let pose = 0; pose < POSES; pose++) {
      const q = anyPose(random);
      const orientation = floating ? anyOrientation(random) : Float64Array.of(1, 0, 0, 0);
      sim.reset(new Random(0), q, floating ? { height_m: 1, orientation } : undefined);
      const { site_xpos, xpos } = sim.simulation.data;
      for (const chain of chains) {
        chain.update(q);
        const site = 3 * sim.simulation.id('site', chain.name);
        // Body 1 is the base.
        const fromBase = [0, 1, 2].map((k) => site_xpos[site + k] - xpos[3 + k]);
        rotateInverse(orientation, fromBase, inBase);
        for (let k = 0; k < 3; k++) expect(chain.tip_m[k]).toBeCloseTo(inBase[k], 9);
      }
    }
  });

  it('move as fast as differences of their positions say', () => {
    const random = new Random(12);
    const h = 1e-6;
    for (let pose = 0; pose < POSES; pose++) {
      const q = anyPose(random);
      const dq = Float64Array.from({ length: n }, () => random.uniform(-10, 10));
      const moved = (t: number) => q.map((x, j) => x + t * dq[j]);
      for (const chain of chains) {
        chain.update(moved(h));
        const after = Array.from(chain.tip_m);
        chain.update(moved(-h));
        const before = Array.from(chain.tip_m);
        chain.update(q, dq);
        for (let k = 0; k < 3; k++)
          expect(chain.tipVelocity_m_s[k]).toBeCloseTo((after[k] - before[k]) / (2 * h), 5);
      }
    }
  });
});

describe('contactVelocity', () => {
  const { spec } = loadRobot('quadruped');
  const foot = new Chain(spec.chains[0], spec);

  /** World position, relative to the body's origin, of a material point of the foot's ball. */
  const ballPoint = (q: Float64Array, orientation: Float64Array, inLink: Float64Array): Float64Array => {
    // A second chain whose tip is that point of the last link.
    const tip = spec.chains[0].tip_m.map((x, k) => x + inLink[k]) as [number, number, number];
    const chain = new Chain({ ...spec.chains[0], tip_m: tip }, spec);
    chain.update(q);
    const world = new Float64Array(3);
    rotate(orientation, chain.tip_m, world);
    return world;
  };

  it('is the velocity of the point of the ball that touches the ground, spin of body and leg included', () => {
    const random = new Random(13);
    const radius_m = 0.02;
    const h = 1e-6;
    for (let pose = 0; pose < POSES; pose++) {
      const q = Float64Array.from(spec.joints, (j) => random.uniform(...j.position_rad));
      const dq = Float64Array.from(spec.joints, () => random.uniform(-10, 10));
      const gyro = [random.uniform(-3, 3), random.uniform(-3, 3), random.uniform(-3, 3)];
      const orientation = Float64Array.of(1, 0, 0, 0);
      const down = new Float64Array(3);
      gravityInBody(orientation, down);

      // The touching point now, in the frame of the last link: abduction about x, then hip and knee about y.
      const [abduction, hip, knee] = foot.joints;
      const roll = Float64Array.of(Math.cos(q[abduction] / 2), Math.sin(q[abduction] / 2), 0, 0);
      const bend = (q[hip] + q[knee]) / 2;
      const pitch = Float64Array.of(Math.cos(bend), 0, Math.sin(bend), 0);
      const afterRoll = new Float64Array(3);
      const inLink = new Float64Array(3);
      rotateInverse(
        roll,
        down.map((x) => radius_m * x),
        afterRoll,
      );
      rotateInverse(pitch, afterRoll, inLink);

      // That same point of the ball a moment later and earlier, the body turned on by its gyro.
      const at = (t: number) => {
        const angle = Math.hypot(...gyro) * t;
        const turned = Float64Array.of(
          Math.cos(angle / 2),
          ...gyro.map((w) => (w / Math.hypot(...gyro)) * Math.sin(angle / 2)),
        );
        return ballPoint(
          q.map((x, j) => x + t * dq[j]),
          turned,
          inLink,
        );
      };
      const [after, before] = [at(h), at(-h)];
      const velocity = new Float64Array(3);
      foot.update(q, dq);
      contactVelocity(foot, radius_m, gyro, down, velocity);
      for (let k = 0; k < 3; k++) expect(velocity[k]).toBeCloseTo((after[k] - before[k]) / (2 * h), 5);
    }
  });
});
