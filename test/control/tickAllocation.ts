import { ControlLoop } from '../../src/control/controlLoop.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadPolicy } from '../../src/policy/inference.js';
import { fastestProducts } from '../../src/policy/products.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';

/**
 * Runs the control loop of a walking robot for many ticks, and prints the bytes that each allocated in the
 * best round: what the engine has not compiled yet boxes its numbers. For a child process with
 * `--expose-gc`, so that what a test runner allocates does not count.
 */
const TICKS = 20_000;
const ROUNDS = 12;
const { spec } = loadRobot('quadruped');
const loop = new ControlLoop(spec, createTask('walk', spec), 0, 1);
const { state } = loop;
spec.joints.forEach((joint, j) => {
  state.position_rad[j] = joint.home_rad;
});
state.orientation[0] = 1;
state.accel_m_s2[2] = 9.81;
state.footForce_n.fill(30);
loop.setPolicy(loadPolicy(readBundle('quadruped-walk'), fastestProducts()), 1);
const time = new Float64Array([10]);
const dt_s = 1 / spec.rates.control_hz;

function run(ticks: number): void {
  for (let t = 0; t < ticks; t++) {
    time[0] += dt_s;
    state.time_s = time[0];
    // A living sensor is never the same to the last bit; and joints that follow keep every limit at work.
    for (let j = 0; j < spec.joints.length; j++) {
      state.position_rad[j] = loop.control.kernel.executed_rad[j] + 1e-6 * ((t + j) % 7);
      state.velocity_rad_s[j] = 1e-3 * ((t + j) % 5);
    }
    state.gyro_rad_s[0] = 1e-9 * (t % 2);
    loop.tick(time[0], 1);
  }
}

state.time_s = time[0];
loop.arm(time[0]);
const collect = (globalThis as unknown as { gc(): void }).gc;
let bytes_per_tick = Number.POSITIVE_INFINITY;
for (let round = 0; round < ROUNDS; round++) {
  collect();
  const before = process.memoryUsage().heapUsed;
  run(TICKS);
  bytes_per_tick = Math.min(bytes_per_tick, (process.memoryUsage().heapUsed - before) / TICKS);
}
const { mode } = loop.control.kernel;
const { phase, episodes } = loop;
process.stdout.write(`${JSON.stringify({ bytes_per_tick, mode, phase, episodes })}\n`);
