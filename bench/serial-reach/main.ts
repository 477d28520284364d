/**
 * How well the shipped reach does over a serial bus, against simulation: the arm's servos emulated
 * behind a pseudo-terminal in a process of their own, the robot process with the serial driver in real
 * time, and the same number of targets in plain simulation.
 *
 *     node dist/bench/serial-reach/main.js [--episodes 60] [--policy arm-reach] [--json]
 *
 * A machine that stalls for longer than the sensor watchdog stops the arm, as it must: it is reset,
 * counted, and the episode is not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { filter } from 'rxjs';
import { evaluateBundle } from '../../sim/evaluationPool.js';
import { packageRoot } from '../../src/base/files.js';
import { RobotProcess } from '../../src/control/robotProcess.js';
import { StepFlag } from '../../src/control/stepRecord.js';
import { readBundle } from '../../src/policy/bundle.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { REACHED_M } from '../../src/tasks/reach.js';
import { Child, killOnSignal } from '../fleet/child.js';
import { machine } from '../measure/machine.js';

const BUS = 'servos';
const LOOK_MS = 500;
const SIMULATED_SEED = 7;

const { values } = parseArgs({
  options: {
    episodes: { type: 'string', default: '60' },
    policy: { type: 'string', default: 'arm-reach' },
    json: { type: 'boolean', default: false },
  },
});
const episodes = Number(values.episodes);
const say = (line: string) => console.error(line);
const folder = mkdtempSync(join(tmpdir(), 'reverie-serial-reach-'));
const robot = loadRobot('arm');
const { spec, path } = robot;
const bundle = readBundle(values.policy);
const task = createTask('reach', spec);
const link = join(folder, 'arm');
const emulator = new Child(
  'emulator',
  [process.execPath, join(packageRoot, 'bin/reverie.js'), 'emulate', 'arm', '--link', link],
  say,
);
const letGo = killOnSignal(() => [emulator]);
emulator.start();

const serial = {
  module: new URL('../../drivers/remoteDriver.js', import.meta.url).href,
  options: {
    module: new URL('../../drivers/robotDriver.js', import.meta.url).href,
    options: { spec, path, ports: { [BUS]: `${link}-${BUS}` } },
    fifo: true,
  },
};

/** The driver refuses a port that is not there yet. */
async function started(): Promise<RobotProcess> {
  for (let attempt = 0; ; attempt++)
    try {
      return await RobotProcess.start({
        spec,
        driver: serial,
        task: 'reach',
        explore: 0,
        seed: 1,
        fifo: true,
      });
    } catch (error) {
      if (attempt === 30) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
}

/** Where in what the policy sees is how far the tool is from the target, in tenths of a metre. */
const at = (() => {
  let from = 0;
  for (const { name, size } of task.contract.observation) {
    if (name === 'tool_to_target') return from;
    from += size;
  }
  throw new Error('the task shows no tool_to_target');
})();

const running = await started();
const admitted = await running.setPolicy(bundle);
if (!admitted.admitted) throw new Error(admitted.reasons.join('; '));
if (!(await running.arm())) throw new Error(`did not arm: ${running.status().latched}`);
let done = 0;
let reached = 0;
let stops = 0;
running.steps
  .pipe(filter(({ flags }) => (flags & StepFlag.truncated) !== 0 && (flags & StepFlag.interrupted) === 0))
  .subscribe(({ nextObservation }) => {
    if (done === episodes) return;
    const distance_m = 0.1 * Math.hypot(...nextObservation.subarray(at, at + 3));
    done++;
    if (distance_m < REACHED_M) reached++;
  });
while (done < episodes) {
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  if (!running.status().latched) continue;
  stops++;
  say(`stopped (${running.status().latched}); reset`);
  await running.reset();
  await running.arm();
}
await running.requestStop();
await running.close();
letGo();
await emulator.kill();
rmSync(folder, { recursive: true, force: true });

const { success_rate: simulated } = await evaluateBundle({
  robot,
  bundle,
  episodes,
  seconds_each: task.episodeSteps / spec.rates.policy_hz,
  seed: SIMULATED_SEED,
  workers: 1,
});
const result = {
  machine: machine(),
  episodes,
  success_serial: reached / episodes,
  success_simulated: simulated,
  ratio: Number((reached / episodes / (simulated ?? Number.NaN)).toFixed(3)),
  stops,
};
if (values.json) console.log(JSON.stringify(result));
else for (const [what, value] of Object.entries(result)) console.log(`${what}: ${value}`);
