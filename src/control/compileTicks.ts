import type { Policy } from '../policy/policy.js';
import { type RobotSpec, ticksPerAction } from '../robot/spec.js';
import { now_s, sleepUntil } from './clock.js';
import type { ControlLoop } from './controlLoop.js';
import { type SharedMemory, Word } from './sharedMemory.js';

/** The engine compiles in the background: each round runs on what the rounds before have led to. */
const ROUNDS = 5;
const PAUSE_S = 0.1;
/** Policy steps in a round. */
const STEPS = 40;

/**
 * Plays a robot that stands, until the engine has compiled the code of every tick: the first ticks of
 * a cold loop take ten times as long as the rest, and installing compiled code takes locks that a
 * real-time thread should not wait for. Leaves the loop as new.
 * @param memory for this alone, so that no drive sees what is played
 * @param tick of the control worker, on that memory
 */
export function compileTicks(
  loop: ControlLoop,
  spec: RobotSpec,
  memory: SharedMemory,
  tick: (now_s: number, elapsed: number) => void,
): void {
  const { state } = loop;
  const still: Policy = {
    observationSize: 0,
    actionSize: spec.joints.length,
    act: (_observation, action) => {
      action.fill(0);
    },
    reset() {},
  };
  state.flat.fill(0);
  spec.joints.forEach((joint, j) => {
    state.position_rad[j] = joint.home_rad;
  });
  state.orientation[0] = 1;
  state.accel_m_s2[2] = 9.81;
  state.footForce_n.fill(30);
  const sample = state.flat.slice();
  const record = new Float64Array(memory.steps.fields);
  const dt_s = 1 / spec.rates.control_hz;
  const rising = spec.stop.seconds * spec.rates.control_hz;
  const ticks = rising + STEPS * ticksPerAction(spec);
  let now = 0;
  for (let round = 0; round < ROUNDS; round++) {
    loop.setPolicy(still, 1);
    memory.bump(Word.arm);
    for (let t = 0; t < ticks; t++) {
      now += dt_s;
      sample[0] = now;
      memory.bump(Word.heartbeat);
      memory.samples.write(sample);
      memory.truth.write(memory.truthSample);
      memory.lateness.add(1e-5);
      // A person has the robot for half of the episode.
      if (t === Math.round((rising + ticks) / 2)) loop.takeOver('person', now);
      loop.guest.set('person', loop.control.kernel.executed_rad, now);
      tick(now, 1);
      memory.steps.pop(record);
    }
    loop.forget();
    sleepUntil(now_s() + PAUSE_S);
  }
}
