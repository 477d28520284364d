import { createDriver as createSim, type SimDriverOptions } from '../../sim/realtimeDriver.js';
import type { HostedDriver } from '../../src/control/hostedDriver.js';

export type Fault = 'nan' | 'stale' | 'throws' | 'tipped';

export interface FaultyDriverOptions {
  readonly sim: SimDriverOptions;
  /** One word in shared memory: the fault begins when it is not 0. */
  readonly trigger: SharedArrayBuffer;
  readonly fault: Fault;
}

/** The simulated robot whose hardware fails on demand. */
export async function createDriver({ sim, trigger, fault }: FaultyDriverOptions): Promise<HostedDriver> {
  const driver = await createSim(sim);
  const word = new Int32Array(trigger);
  const read = driver.read.bind(driver);
  driver.read = (into) => {
    if (Atomics.load(word, 0) === 0) return read(into);
    if (fault === 'throws') throw new Error('the bus is gone');
    if (fault === 'stale') return false;
    const fresh = read(into);
    if (fault === 'nan') into.position_rad[3] = Number.NaN;
    else into.orientation.set([0, 1, 0, 0]);
    return fresh;
  };
  return driver;
}
