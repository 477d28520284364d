import { now_s } from '../../src/control/clock.js';
import { ControlLoop } from '../../src/control/controlLoop.js';
import { LatenessHistogram } from '../../src/control/lateness.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadPolicy } from '../../src/policy/inference.js';
import { fastestProducts } from '../../src/policy/products.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { type LoopLateness, POLICY, ROBOT, rounded, TASK } from './loop.js';

/**
 * The control loop as people write it first: in `setInterval` on the main thread of a process. A robot that
 * stands perfectly still is sensed; the same policy acts.
 */
const seconds = Number(process.argv[2]);
const { spec } = loadRobot(ROBOT);
const loop = new ControlLoop(spec, createTask(TASK, spec), 0, 1);
const { state } = loop;
spec.joints.forEach((joint, j) => {
  state.position_rad[j] = joint.home_rad;
});
state.orientation[0] = 1;
state.accel_m_s2[2] = 9.81;
state.footForce_n.fill(30);
loop.setPolicy(loadPolicy(readBundle(POLICY), fastestProducts()), 1);

const period_s = 1 / spec.rates.control_hz;
const lateness = new LatenessHistogram(LatenessHistogram.allocate());
const began_s = now_s();
let missed = 0;
/** Ticks whose deadline has come. */
let due = 0;
state.time_s = began_s;
loop.arm(began_s);

const timer = setInterval(() => {
  const now = now_s();
  const late_s = now - (began_s + (due + 1) * period_s);
  // A timer may fire before its deadline on this grid: the tick of the next one is then not yet due.
  const skipped = Math.max(0, Math.floor(late_s / period_s));
  missed += skipped;
  due += 1 + skipped;
  lateness.add(Math.max(0, late_s));
  // A living sensor is never the same to the last bit.
  state.time_s = now;
  state.gyro_rad_s[0] = 1e-9 * (due % 2);
  loop.tick(now, 1 + skipped);
  if (now - began_s > seconds) end();
}, 1e3 * period_s);

function end(): void {
  clearInterval(timer);
  const { p50_s, p99_s, p999_s, max_s } = lateness.summary();
  const late = rounded({
    late_p50_ms: 1e3 * p50_s,
    late_p99_ms: 1e3 * p99_s,
    late_p999_ms: 1e3 * p999_s,
    late_max_ms: 1e3 * max_s,
  });
  const rate_hz = spec.rates.control_hz;
  const result: LoopLateness = { rate_hz, scheduler: 'setInterval', ...late, missed_ticks: missed };
  process.send?.(result, () => process.disconnect());
}
