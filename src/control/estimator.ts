import { Chain, contactVelocity } from '../robot/kinematics.js';
import { gravityInBody, rotate } from '../robot/rotation.js';
import { feetOf, type RobotSpec } from '../robot/spec.js';
import type { BodyMotion, RobotState } from '../robot/state.js';

const GRAVITY_M_S2 = 9.81;
/** A foot that carries more than this stands. */
const CONTACT_N = 5;
/** Share of the difference to a standing foot's velocity that one tick of 2 ms takes over. */
const GAIN = 0.08;

/**
 * Velocity of a legged body from its IMU and its legs: the accelerometer carries the estimate on,
 * and each foot that stands says how fast the body must be moving over it (leg odometry, as in
 * Bloesch et al. 2012, with a fixed gain in place of the Kalman filter's). Position is the integral
 * and drifts. Nothing for a fixed base.
 */
export class BodyEstimator implements BodyMotion {
  readonly position_m = new Float64Array(3);
  readonly velocity_m_s = new Float64Array(3);
  readonly legs: Chain[];
  private readonly radius_m: number[];
  private readonly down = new Float64Array(3);
  private readonly dt_s: number;
  private readonly world = new Float64Array(3);
  private readonly body = new Float64Array(3);

  constructor(private readonly spec: RobotSpec) {
    this.legs = feetOf(spec).map((chain) => new Chain(chain, spec));
    this.radius_m = feetOf(spec).map((foot) => foot.tip_radius_m);
    this.dt_s = 1 / spec.rates.control_hz;
  }

  reset(): void {
    this.position_m.fill(0);
    this.velocity_m_s.fill(0);
  }

  update(state: RobotState): void {
    if (this.spec.base === 'fixed') return;
    const { velocity_m_s: v, world, body, dt_s } = this;
    const { orientation } = state;
    rotate(orientation, state.accel_m_s2, world);
    v[0] += world[0] * dt_s;
    v[1] += world[1] * dt_s;
    v[2] += (world[2] - GRAVITY_M_S2) * dt_s;
    gravityInBody(orientation, this.down);
    for (let f = 0; f < this.legs.length; f++) {
      if (state.footForce_n[f] < CONTACT_N) continue;
      const leg = this.legs[f];
      leg.update(state.position_rad, state.velocity_rad_s);
      contactVelocity(leg, this.radius_m[f], state.gyro_rad_s, this.down, body);
      rotate(orientation, body, world);
      // The point of contact rests in the world, so the body moves against it.
      v[0] -= GAIN * (world[0] + v[0]);
      v[1] -= GAIN * (world[1] + v[1]);
      v[2] -= GAIN * (world[2] + v[2]);
    }
    for (let k = 0; k < 3; k++) this.position_m[k] += v[k] * dt_s;
  }
}
