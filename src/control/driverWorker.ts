import { parentPort, workerData } from 'node:worker_threads';
import { UserError } from '../base/errors.js';
import type { RobotSpec } from '../robot/spec.js';
import { JointCommand, RobotState } from '../robot/state.js';
import { RateKeeper } from './clock.js';
import type { DriverChoice, DriverModule, HostedDriver } from './hostedDriver.js';
import { RobotClock } from './robotClock.js';
import { type RobotBuffers, SharedMemory, Word } from './sharedMemory.js';
import { threadId } from './threadId.js';
import type { WorkerFailure } from './workerHandle.js';

/**
 * The driver worker: hosts one driver in a thread of its own, so that neither a slow bus nor a slow
 * simulator holds up the control loop. Each period it hands the newest command to the driver and
 * publishes the newest sample; both go through shared memory, and nobody waits for anybody.
 */
export interface DriverWorkerData {
  readonly buffers: RobotBuffers;
  readonly spec: RobotSpec;
  readonly driver: DriverChoice;
}

/** To the main thread. */
export type DriverReport =
  | {
      readonly kind: 'ready';
      readonly tid: string;
      readonly name: string;
      readonly canReplace: boolean;
      readonly simulated: boolean;
    }
  | { readonly kind: 'closed' };

/** Its deadlines lie at the beginning of a period; the control worker's in the middle, when the sample has arrived. */
const PHASE = 0;

async function host(
  driver: HostedDriver,
  memory: SharedMemory,
  clock: RobotClock,
  spec: RobotSpec,
): Promise<void> {
  const state = RobotState.for(spec);
  const command = new JointCommand(spec.joints.length);
  const rate = new RateKeeper(spec.rates.control_hz, PHASE);
  let replaced = 0;
  while (memory.get(Word.quit) === 0) {
    if (driver.cycle) rate.wait();
    else await new Promise((resolve) => setTimeout(resolve, 1e3 / spec.rates.control_hz));
    const replace = memory.get(Word.replace);
    if (replace !== replaced) {
      replaced = replace;
      driver.replace?.();
    }
    if (memory.commands.read(command.flat)) driver.write(command);
    driver.cycle?.(clock.now_s());
    if (driver.read(state)) {
      memory.samples.write(state.flat);
      // Only now: whoever waits for it finds a sample of where the robot was put.
      memory.set(Word.replaced, replaced);
    }
    if (driver.truth) {
      memory.truthSample.set(driver.truth.position_m);
      memory.truthSample.set(driver.truth.velocity_m_s, 3);
      memory.truth.write(memory.truthSample);
    }
    memory.set(Word.driveWatchdog, driver.watchdogTrips ?? 0);
    memory.bump(Word.cycles);
  }
}

const { buffers, spec, driver: choice } = workerData as DriverWorkerData;
const report = (message: DriverReport | WorkerFailure) => parentPort!.postMessage(message);
const memory = new SharedMemory(buffers);
let driver: HostedDriver | undefined;
try {
  const { createDriver } = (await import(choice.module)) as DriverModule;
  driver = await createDriver(choice.options);
  await driver.configure();
  await driver.activate();
  report({
    kind: 'ready',
    tid: threadId(),
    name: driver.name,
    canReplace: driver.replace !== undefined,
    simulated: driver.simulated === true,
  });
  await host(driver, memory, new RobotClock(buffers.clock), spec);
} catch (error) {
  const { message, stack } = error as Error;
  const user = error instanceof UserError;
  report({ kind: 'failed', message: user ? message : (stack ?? message), user });
} finally {
  // Whatever happened, torque goes off as the driver knows how to.
  await driver?.deactivate();
  await driver?.close();
  report({ kind: 'closed' });
  parentPort!.close();
}
