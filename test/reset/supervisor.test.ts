import { afterEach, describe, expect, it } from 'vitest';
import type { ResetReport } from '../../src/control/resetReport.js';
import type { RobotProcess } from '../../src/control/robotProcess.js';
import { type Step, StepFlag } from '../../src/control/stepRecord.js';
import { GetUpScript } from '../../src/reset/getUpScript.js';
import { ResetSupervisor } from '../../src/reset/supervisor.js';
import type { FaultyDriverOptions } from '../control/faultyDriver.js';
import {
  eventually,
  inMemory,
  patient,
  simOptions,
  startQuadruped,
  stepWhere,
  untrainedBundle,
} from '../control/support.js';

let robot: RobotProcess | undefined;
let supervisor: ResetSupervisor | undefined;
afterEach(async () => {
  supervisor?.close();
  await robot?.close();
});

const LIMIT_S = 60;

/** It only seems to lie: poses that it passes through quickly do. */
const quick = (() => {
  const fold = { ...patient.get_up!.fold, seconds: 0.2, hold_s: 0 };
  return { ...patient, get_up: { fold, roll: [fold], stand_s: 0.5 } };
})();

describe('a robot process under a supervisor', () => {
  it('gets up after a fall and begins an episode; after tries in vain it asks a person', async () => {
    const bundle = inMemory(await untrainedBundle());
    const trigger = new SharedArrayBuffer(4);
    const options: FaultyDriverOptions = { sim: simOptions, trigger, fault: 'tipped' };
    const module = new URL('../control/faultyDriver.js', import.meta.url).href;
    robot = await startQuadruped({ driver: { module, options } });
    const word = new Int32Array(trigger);
    const reports: ResetReport[] = [];
    const steps: Step[] = [];
    robot.resets.subscribe((report) => reports.push(report));
    robot.steps.subscribe((step) => steps.push(step));
    supervisor = new ResetSupervisor(robot, {
      behavioursFor: (trouble) => (trouble === 'fall' ? [new GetUpScript(quick)] : []),
      tries: 2,
      noProgress_s: 0,
      mayLie: false,
      homeAfterEpisode: false,
    });
    expect(await robot.arm()).toBe(true);
    await robot.setPolicy(bundle);
    await stepWhere(robot, (s) => s.step >= 2);

    // It seems to lie on its back, until it has begun to get up.
    Atomics.store(word, 0, 1);
    await eventually('getting up', () => reports.some((r) => r.outcome === 'begun'), LIMIT_S);
    expect(robot.status().authority).toBe('recovery');
    expect(steps.at(-1)!.flags).toBe(StepFlag.terminal);
    Atomics.store(word, 0, 0);
    await eventually('a second episode', () => robot!.status().episodes === 2, LIMIT_S);
    expect(reports.map((r) => r.outcome)).toEqual(['begun', 'done']);
    expect(robot.status().falls).toBe(1);

    // Now it never looks upright again: what it tries fails.
    Atomics.store(word, 0, 1);
    await eventually('a call for help', () => robot!.status().asks_person !== null, 2 * LIMIT_S);
    expect(robot.status().asks_person).toContain('fall');
    expect(reports.filter((r) => r.outcome === 'failed')).toHaveLength(2);
    Atomics.store(word, 0, 0);
    await robot.reset();
    await robot.arm();
    await eventually('thanks', () => robot!.status().asks_person === null, LIMIT_S);
    expect(reports.at(-1)!.outcome).toBe('person_helped');
  }, 300_000);
});
