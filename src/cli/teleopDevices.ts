import { FeetechLeader } from '../../drivers/feetech/leader.js';
import { UserError } from '../base/errors.js';
import type { RobotProcess } from '../control/robotProcess.js';
import { loadRobot } from '../robot/load.js';
import { Gamepad } from '../teleop/gamepad.js';
import { Joystick } from '../teleop/joystick.js';
import { KeyboardHand } from '../teleop/keyboard.js';
import type { TeleopSession } from '../teleop/session.js';

/** Devices are asked this often, and a hand is told of while its switch is held. */
const TELL_MS = 10;
const REOPEN_MS = 1000;

/** Where a device is attached: the session that it moves, and the robot that it can stop. */
export interface Station {
  readonly session: TeleopSession;
  readonly robot: RobotProcess;
  /** Every key of the terminal that the operator's own do not take; where there is a terminal. */
  readonly onKey: (listener: (key: string) => void) => void;
  readonly onNotice: (line: string) => void;
}

/** @returns what detaches it */
export type Device = (station: Station) => Promise<() => Promise<void>>;

/** Takes over and gives back by turns. */
export async function toggle({ session, robot, onNotice }: Station): Promise<void> {
  if (session.active) {
    await session.release();
    onNotice('given back');
  } else if (await session.takeOver()) onNotice('taken over: a person has the robot, at reduced speed');
  else onNotice(`not taken over: ${robot.status().latched ?? robot.status().mode}`);
}

/** The keys of the terminal. */
export function keyboard(): Device {
  return async (station) => {
    const { session, onKey, onNotice } = station;
    const keys = new KeyboardHand();
    onKey((key) => {
      const now_ms = performance.now();
      if (keys.press(key, now_ms)) return;
      const pose = session.poses[Number(key) - 1];
      if (pose && session.active) {
        // Each press leads on for a moment, as a moving key does: one that is held gets there.
        if (session.heading !== pose) session.goTo(pose);
        keys.hold(now_ms);
      }
    });
    onNotice(keysOf(session));
    return every(() => keys.hand(performance.now()), station);
  };
}

function keysOf({ canJog, poses }: TeleopSession): string {
  const jog = canJog ? 'w s a d r f: tool, i k j l: wrist, o p: gripper, ' : '';
  return `t: take over and give back, ${jog}${poses.map((pose, i) => `${i + 1}: ${pose}`).join(', ')} (hold), space: emergency stop`;
}

/** @param path of the joystick device, /dev/input/js0 say */
export function gamepad(path: string): Device {
  return async (station) => {
    const pad = new Gamepad();
    let joystick: Joystick | undefined = new Joystick(path);
    let retryAt_ms = 0;
    const poll = () => {
      if (!joystick && performance.now() >= retryAt_ms) {
        retryAt_ms = performance.now() + REOPEN_MS;
        joystick = plugged(path);
      }
      const events = joystick?.events();
      if (joystick && !events) {
        station.onNotice(`${path}: the gamepad is gone; the robot holds`);
        joystick.close();
        joystick = undefined;
        pad.forget();
      }
      for (const event of events ?? []) {
        const wish = pad.take(event);
        if (wish === 'emergency_stop') station.robot.emergencyStop();
        else if (wish === 'take') void toggle(station);
      }
      return pad.hand();
    };
    const detach = await every(poll, station);
    return async () => {
      await detach();
      joystick?.close();
    };
  };
}

function plugged(path: string): Joystick | undefined {
  try {
    return new Joystick(path);
  } catch {
    return undefined;
  }
}

/** @param port of the leader's bus; @param leader its robot, by name or folder */
export function leader(port: string, leader: string): Device {
  return async ({ session, robot }) => {
    const own = loadRobot(leader);
    const from = robot.options.spec.joints.map(({ name }) => {
      const index = own.spec.joints.findIndex((joint) => joint.name === name);
      if (index < 0) throw new UserError(`${own.path}: the leader has no joint "${name}"`);
      return index;
    });
    const arm = await FeetechLeader.open(own, port);
    const q_rad = new Float64Array(from.length);
    arm.onSample = (sample) => {
      if (!session.active) return;
      from.forEach((index, j) => {
        q_rad[j] = sample[index];
      });
      session.follow(q_rad);
    };
    return () => arm.close();
  };
}

async function every(
  hand: () => ReturnType<Gamepad['hand']>,
  { session }: Station,
): Promise<() => Promise<void>> {
  const timer = setInterval(() => {
    const now = hand();
    if (now) session.move(now);
  }, TELL_MS);
  return async () => clearInterval(timer);
}
