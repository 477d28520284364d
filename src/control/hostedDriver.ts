import type { Driver } from '../robot/driver.js';
import type { BodyMotion } from '../robot/state.js';

/** What the driver worker makes use of where a driver has it. */
export interface HostedDriver extends Driver {
  /**
   * One bus cycle, done at once: sends what was written last, takes in what there is to read. The
   * worker then blocks until the next cycle is due. A driver without it does its input and output on
   * the thread's event loop, and the worker only looks in once a period.
   * @param now_s on the robot's clock, which stands still while a simulated world is to
   */
  cycle?(now_s: number): void;
  /** Puts the robot back on its feet. Only a simulated person can do that. */
  replace?(): void;
  /** Its world is a simulated one, which goes by the robot's clock. */
  readonly simulated?: true;
  /** How the base really moves, for reports: a simulator knows. */
  readonly truth?: BodyMotion;
  /** Times that the drives braked because no command came. */
  readonly watchdogTrips?: number;
}

/** What a driver module exports. */
export interface DriverModule<Options = unknown> {
  /** @throws UserError where the options do not fit what is found */
  createDriver(options: Options): Promise<HostedDriver>;
}

/** Which driver a worker is to host. */
export interface DriverChoice {
  /** URL of a module that exports `createDriver`. */
  readonly module: string;
  /** Handed to it; plain data. */
  readonly options: unknown;
}
