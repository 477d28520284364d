import type { Random } from '../src/base/random.js';
import { added } from './model.js';
import type { SimRobot } from './simRobot.js';

/** What differs from episode to episode, and how the robot is disturbed in it. */
export interface Randomisation {
  /** Sliding friction of the ground and feet, uniform. */
  readonly friction: readonly [number, number];
  /** Extra mass on the base, kg, uniform. */
  readonly payload_kg: readonly [number, number];
  /** Pushes: change of horizontal speed each, m/s, uniform; none where the upper end is 0. */
  readonly push_m_s: readonly [number, number];
  /** Seconds between pushes, uniform. */
  readonly pushEvery_s: readonly [number, number];
}

export const trainingRandomisation: Randomisation = {
  friction: [0.5, 1.3],
  payload_kg: [-0.5, 1],
  push_m_s: [0, 0.5],
  pushEvery_s: [2, 6],
};

/** What policies are judged under. */
export const evaluationRandomisation: Randomisation = {
  friction: [0.6, 1.2],
  payload_kg: [0, 0],
  push_m_s: [0.2, 0.4],
  pushEvery_s: [3, 6],
};

/** A push lasts this long: a force, not a teleport. */
const PUSH_S = 0.1;

/** Applies a randomisation to one simulated robot: `begin` just before each reset, `tick` at each physics step. */
export class Disturbances {
  private readonly floor: number;
  private readonly base: number;
  private readonly nominalMass: number;
  private readonly totalMass: number;
  private readonly geoms: number;
  private random!: Random;
  private nextPush_s = Number.POSITIVE_INFINITY;
  private pushEnd_s = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly robot: SimRobot,
    private readonly ranges: Randomisation,
  ) {
    const { simulation } = robot;
    this.floor = simulation.id('geom', added.floor);
    this.base = 1;
    const mass = simulation.parameters.body_mass;
    this.nominalMass = mass[this.base];
    this.totalMass = mass.reduce((a, b) => a + b, 0);
    this.geoms = simulation.parameters.geom_bodyid.length;
  }

  begin(random: Random): void {
    this.random = random;
    const { simulation, spec } = this.robot;
    const { friction: range, payload_kg, pushEvery_s, push_m_s } = this.ranges;
    const { geom_friction, body_mass } = simulation.parameters;
    const friction = random.uniform(range[0], range[1]);
    // Contact takes the larger of two geoms' friction: every geom gets the same.
    for (let g = 0; g < this.geoms; g++) geom_friction[3 * g] = friction;
    geom_friction[3 * this.floor] = friction;
    if (spec.base === 'fixed') return;
    body_mass[this.base] = this.nominalMass + random.uniform(payload_kg[0], payload_kg[1]);
    simulation.updateConstants();
    this.pushEnd_s = Number.NEGATIVE_INFINITY;
    this.nextPush_s =
      push_m_s[1] > 0 ? random.uniform(pushEvery_s[0], pushEvery_s[1]) : Number.POSITIVE_INFINITY;
  }

  tick(): void {
    if (this.robot.spec.base === 'fixed') return;
    const now_s = this.robot.time_s;
    const at = 6 * this.base;
    if (now_s >= this.nextPush_s) {
      const { push_m_s, pushEvery_s } = this.ranges;
      const force_n = (this.totalMass * this.random.uniform(push_m_s[0], push_m_s[1])) / PUSH_S;
      const direction = this.random.uniform(0, 2 * Math.PI);
      const { xfrc_applied } = this.robot.simulation.data;
      xfrc_applied[at] = force_n * Math.cos(direction);
      xfrc_applied[at + 1] = force_n * Math.sin(direction);
      this.pushEnd_s = now_s + PUSH_S;
      this.nextPush_s = now_s + PUSH_S + this.random.uniform(pushEvery_s[0], pushEvery_s[1]);
    } else if (now_s >= this.pushEnd_s) {
      const { xfrc_applied } = this.robot.simulation.data;
      xfrc_applied[at] = 0;
      xfrc_applied[at + 1] = 0;
      this.pushEnd_s = Number.POSITIVE_INFINITY;
    }
  }
}
