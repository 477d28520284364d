/**
 * Draws what a walking policy does as one strip: the robot at equal times along its way.
 *
 *     node dist/bench/picture/main.js policies/quadruped-walk docs/walk.svg
 */
import { writeFileSync } from 'node:fs';
import { Environment } from '../../sim/environment.js';
import { loadMujoco } from '../../sim/mujoco.js';
import { drawRobot, type View } from '../../sim/picture.js';
import { evaluationRandomisation } from '../../sim/randomise.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadPolicy } from '../../src/policy/inference.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';

const VIEW: View = { scale: 230, azimuth_rad: 0.4, elevation_rad: 0.2 };
const WIDTH = 880;
const HEIGHT = 190;
/** The strip begins once the gait is steady. */
const FIRST_STEP = 60;
const STEPS_BETWEEN = 23;
const POSES = 5;

const [bundlePath = 'policies/quadruped-walk', out = 'docs/walk.svg'] = process.argv.slice(2);
const bundle = readBundle(bundlePath);
const robot = loadRobot(bundle.manifest.robot);
const env = new Environment(await loadMujoco(), robot, createTask(bundle.manifest.task, robot.spec), {
  ...evaluationRandomisation,
  push_m_s: [0, 0],
});
const policy = loadPolicy(bundle);
const action = new Float32Array(policy.actionSize);
env.reset(7);
const poses: string[] = [];
let origin = 0;
for (let step = 0; poses.length < POSES; step++) {
  policy.act(env.observation, action);
  env.step(action);
  const since = step - FIRST_STEP;
  if (since < 0 || since % STEPS_BETWEEN !== 0) continue;
  // Each pose is turned about itself, so that the strip stays level.
  const x_m = env.robot.truth.qpos[0];
  if (since === 0) origin = x_m - 0.4;
  const opacity = 0.35 + (0.65 * (poses.length + 1)) / POSES;
  const pose = drawRobot(env.robot.simulation, VIEW, x_m, opacity);
  poses.push(`<g transform="translate(${((x_m - origin) * VIEW.scale).toFixed(1)} 0)">${pose}</g>`);
}
const ground = 150;
writeFileSync(
  out,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="A quadruped walking, at intervals of ${STEPS_BETWEEN / robot.spec.rates.policy_hz} s">` +
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="12" fill="#f4f1ea"/>` +
    `<line x1="20" x2="${WIDTH - 20}" y1="${ground + 4}" y2="${ground + 4}" stroke="#0002" stroke-width="2"/>` +
    `<g transform="translate(20 ${ground})">${poses.join('')}</g></svg>\n`,
);
