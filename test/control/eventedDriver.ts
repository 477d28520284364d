import { createDriver as createSim, type SimDriverOptions } from '../../sim/realtimeDriver.js';
import { now_s } from '../../src/control/clock.js';
import type { HostedDriver } from '../../src/control/hostedDriver.js';

/** The simulated robot as a driver that does its input and output on the event loop, as most buses in Node do. */
export async function createDriver(options: SimDriverOptions): Promise<HostedDriver> {
  const sim = await createSim(options);
  const timer = setInterval(() => sim.cycle!(now_s()), 1);
  return {
    name: 'evented',
    configure: () => sim.configure(),
    activate: () => sim.activate(),
    read: (into) => sim.read(into),
    write: (command) => sim.write(command),
    deactivate: () => sim.deactivate(),
    async close() {
      clearInterval(timer);
      await sim.close();
    },
  };
}
