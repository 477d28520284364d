import { UserError } from '../../src/base/errors.js';
import type { EmulatedPort } from './bus.js';
import type { EmulatedDrive } from './drive.js';
import type { EmulatedRobot } from './robot.js';

/** Something that goes wrong, as a person writes it: KIND=VALUE@START+LENGTH. */
export interface Fault {
  readonly kind: keyof typeof kinds;
  readonly value: string;
  /** From now. */
  readonly start_s: number;
  /** Infinity for one that lasts. */
  readonly length_s: number;
}

/** @throws UserError saying what was expected */
export function parseFault(text: string): Fault {
  const match = /^([a-z-]+)(?:=([\w.:-]+))?(?:@([\d.]+)(?:\+([\d.]+))?)?$/.exec(text.trim());
  const [, kind, value = '', start, length] = match ?? [];
  if (!kind || !(kind in kinds))
    throw new UserError(
      `"${text}" is no fault; expected KIND=VALUE@START+LENGTH with KIND one of ${Object.keys(kinds).join(', ')}`,
    );
  return {
    kind: kind as Fault['kind'],
    value,
    start_s: start === undefined ? 0 : Number(start),
    length_s: length === undefined ? Number.POSITIVE_INFINITY : Number(length),
  };
}

/**
 * Sets a fault going; what names nobody is refused now, not when its time comes.
 * @returns the timers that are still to run
 * @throws UserError where there is no such drive, bus or probability
 */
export function inject(robot: EmulatedRobot, { kind, value, start_s, length_s }: Fault): NodeJS.Timeout[] {
  const set = kinds[kind](robot, value);
  if (start_s === 0) set(true);
  const timers = start_s > 0 ? [setTimeout(() => set(true), 1e3 * start_s)] : [];
  if (Number.isFinite(length_s)) timers.push(setTimeout(() => set(false), 1e3 * (start_s + length_s)));
  return timers;
}

/** Undoes all: wires are good, everybody has power and his own id. */
export function clearFaults(robot: EmulatedRobot): void {
  for (const port of robot.ports) {
    Object.assign(port.faults, { flip: 0, truncate: 0, merge: 0, delay_ms: 0 });
    port.plug();
  }
  if (robot.imu) robot.imu.silent = false;
  for (const drive of robot.drives) {
    drive.silent = false;
    drive.answersAs = undefined;
    drive.id = drive.model.map.id;
    drive.power(true);
  }
}

type Switch = (on: boolean) => void;

const onWires =
  (key: 'flip' | 'truncate' | 'merge' | 'delay_ms', read: (text: string) => number) =>
  (robot: EmulatedRobot, text: string): Switch => {
    const value = read(text);
    return (on) => {
      for (const port of robot.ports) port.faults[key] = on ? value : 0;
    };
  };

const onDrive =
  (act: (drive: EmulatedDrive, on: boolean, robot: EmulatedRobot) => void) =>
  (robot: EmulatedRobot, value: string): Switch => {
    const chosen = drivesNamed(robot, value);
    return (on) => {
      for (const drive of chosen) act(drive, on, robot);
    };
  };

/** An id that none of the robots here uses. */
const STRANGER = 14;

const kinds = {
  flip: onWires('flip', probability),
  truncate: onWires('truncate', probability),
  merge: onWires('merge', probability),
  slow: onWires('delay_ms', milliseconds),
  silence: (robot: EmulatedRobot, value: string): Switch => {
    const { imu } = robot;
    if (imu && value === 'imu')
      return (on) => {
        imu.silent = on;
      };
    return onDrive((drive, on) => {
      drive.silent = on;
    })(robot, value);
  },
  'wrong-id': onDrive((drive, on) => {
    drive.answersAs = on ? STRANGER : undefined;
  }),
  // Its neighbour takes its id.
  'duplicate-id': onDrive((drive, on, robot) => {
    const line = robot.lineOf(drive);
    const other = line[(line.indexOf(drive) + 1) % line.length];
    other.id = on ? drive.id : other.model.map.id;
  }),
  power: onDrive((drive, on) => drive.power(!on)),
  overload: onDrive((drive, on) => {
    if (on) drive.overload();
  }),
  unplug: (robot: EmulatedRobot, value: string): Switch => {
    const ports = portsNamed(robot, value);
    return (on) => {
      for (const port of ports) {
        if (on) port.unplug();
        else port.plug();
      }
    };
  },
} as const;

/** All, a joint, BUS:ID, or ID on a robot that has one bus of drives. */
function drivesNamed(robot: EmulatedRobot, value: string): readonly EmulatedDrive[] {
  const named = robot.drives.filter((drive) => value === 'all' || robot.namesOf(drive).includes(value));
  if (named.length > 0) return named;
  throw new UserError(
    `no drive "${value}"; drives are ${robot.drives.map((d) => robot.namesOf(d)[0]).join(', ')}, also ${robot.namesOf(robot.drives[0]).slice(1).join(', ')} and so on, or all`,
  );
}

function portsNamed(robot: EmulatedRobot, value: string): readonly EmulatedPort[] {
  const named = robot.ports.filter(({ name }) => value === '' || value === 'all' || value === name);
  if (named.length > 0) return named;
  throw new UserError(`no bus "${value}"; buses are ${robot.ports.map((p) => p.name).join(', ')}`);
}

function probability(text: string): number {
  const p = Number(text);
  if (text !== '' && p >= 0 && p <= 1) return p;
  throw new UserError(`"${text}" is no probability; expected 0 to 1`);
}

function milliseconds(text: string): number {
  const ms = Number(text);
  if (text !== '' && ms >= 0) return ms;
  throw new UserError(`"${text}" is no time; expected milliseconds`);
}
