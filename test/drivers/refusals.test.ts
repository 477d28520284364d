import { afterEach, describe, expect, it } from 'vitest';
import type { EmulatedDynamixel } from '../../drivers/dynamixel/emulator.js';
import type { EmulatedServo } from '../../drivers/feetech/emulatedServo.js';
import type { EmulatedMitDrive } from '../../drivers/mitcan/emulatedDrive.js';
import type { EmulatedAxis } from '../../drivers/odrive/emulator.js';
import { UserError } from '../../src/base/errors.js';
import { Bench, buses } from './support.js';

let bench: Bench;
afterEach(() => bench.close());

/** What bringing the robot up ends with. */
async function refusal(): Promise<string> {
  const error = await bench.driver
    .configure()
    .then(() => bench.driver.activate())
    .then(
      () => undefined,
      (e: Error) => e,
    );
  expect(error).toBeInstanceOf(UserError);
  return error!.message;
}

describe('a port', () => {
  it('that is not there is said so, with what may be missing', async () => {
    bench = await Bench.of('feetech');
    bench.emulated.ports[0].unplug();
    expect(await refusal()).toMatch(/port-drives at 1000000 baud: No such file.*is the adapter plugged in\?/);
  });

  // Root may open anything: it puts its rights aside.
  it.runIf(process.getuid?.() === 0)(
    'without permission is said so, with the command that gives it',
    async () => {
      bench = await Bench.of('feetech');
      process.seteuid!(65534);
      try {
        expect(await refusal()).toMatch(/port-drives at 1000000 baud: .*usermod -aG dialout/);
      } finally {
        process.seteuid!(0);
      }
    },
  );
});

/** Each a drive that is not as robot.yaml says, and where the message points. */
const wrong: readonly (readonly [
  family: string,
  what: string,
  spoil: (bench: Bench) => void,
  message: RegExp,
])[] = [
  [
    'feetech',
    'another mode',
    ({ drives }) => (drives[2] as EmulatedServo).memory.set([1], 33),
    /id 3 \(elbow_flex\), register 33: mode 1, expected 0/,
  ],
  [
    'dynamixel',
    'another model',
    ({ drives }) => (drives[2] as EmulatedDynamixel).memory.set([9, 9], 0),
    /id 3 \(elbow_flex\), register 0: model 2313 is not known; known are .*XM430/,
  ],
  [
    'dynamixel',
    'a register that it refuses',
    // One that protected itself takes torque only after a reboot.
    ({ drives }) => drives[2].overload(),
    /id 3 \(elbow_flex\), register 64: 1 is refused \(.+\); check/,
  ],
  [
    'mitcan',
    'another mode',
    ({ drives }) => (drives[2] as EmulatedMitDrive).registers.set(10, 2),
    /id 3 \(elbow_flex\), register 10 \(control mode\): 2, expected 1/,
  ],
  [
    'mitcan',
    'numbers packed otherwise',
    ({ drives }) => (drives[2] as EmulatedMitDrive).registers.set(21, 6.25),
    /id 3 \(elbow_flex\), register 21: the drive packs ±6.25.*range.position_rad of robot.yaml says ±12.5/,
  ],
  [
    'moteus',
    'a joint beyond its range',
    ({ emulated }) => emulated.hand([0, 0, 3, 0, 0, 0]),
    /id 3 \(elbow_flex\), register 1: the joint would be at 3.00 rad, outside/,
  ],
  [
    'odrive',
    'a firmware without a property',
    ({ drives }) => (drives[2] as EmulatedAxis).properties.delete('config.watchdog_timeout'),
    /id 0 \(elbow_flex\), axis0.config.watchdog_timeout: 0.1 is refused \(no answer\); does this firmware have it\?/,
  ],
];

describe('a drive', () => {
  it.each(wrong)('of %s: %s is one message', async (family, _, spoil, message) => {
    bench = await Bench.of(family);
    spoil(bench);
    expect(await refusal()).toMatch(message);
  });

  it.each(Object.keys(buses))(
    'of %s that hears another baud rate is silent: port, id, rate and what to try are said',
    async (family) => {
      bench = await Bench.of(family);
      // What another rate makes of its bytes is no frame to anybody.
      for (const drive of bench.drives) drive.silent = true;
      expect(await refusal()).toMatch(
        /port-\w+, id [01] \(shoulder_pan\).*(does not answer|no answer).*(baud|1 Mbit\/s|reverie bus scan)/,
      );
    },
  );
});
