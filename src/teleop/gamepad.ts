import type { Hand } from './hand.js';

/** One event of /dev/input/js*: `struct js_event` of linux/joystick.h. */
export interface JsEvent {
  readonly kind: 'button' | 'axis';
  readonly number: number;
  /** 0 or 1 of a button, −32767 to 32767 of an axis. */
  readonly value: number;
}

/** u32 time in ms, s16 value, u8 type, u8 number; in the byte order of the machine, which is little-endian. */
const EVENT_BYTES = 8;
const Type = { button: 0x01, axis: 0x02, init: 0x80 } as const;

/** Cuts a stream into events, wherever its chunks end. */
export class JsEventParser {
  private rest = Buffer.alloc(0);

  push(chunk: Uint8Array): JsEvent[] {
    const bytes = Buffer.concat([this.rest, chunk]);
    const events: JsEvent[] = [];
    let at = 0;
    for (; at + EVENT_BYTES <= bytes.length; at += EVENT_BYTES) {
      // The driver says how everything stands when it is opened, with a mark on it.
      const type = bytes[at + 6] & ~Type.init;
      if (type !== Type.button && type !== Type.axis) continue;
      const kind = type === Type.button ? 'button' : 'axis';
      events.push({ kind, number: bytes[at + 7], value: bytes.readInt16LE(at + 4) });
    }
    this.rest = bytes.subarray(at);
    return events;
  }
}

/** As the kernel's xpad driver numbers them, and the many gamepads that act like one. */
const Button = { emergencyStop: 1, deadman: 4, take: 7 } as const;
const Axis = { leftX: 0, leftY: 1, close: 2, rightX: 3, rightY: 4, open: 5, up: 7 } as const;
const FULL = 32767;
const DEAD_ZONE = 0.12;

/** What a press of a button asks for; the rest is in the hand. */
export type GamepadWish = 'emergency_stop' | 'take';

/**
 * How a gamepad stands. Left shoulder button: deadman switch. Left stick: forward and sideways. Right
 * stick: up and roll. Cross: pitch. Triggers: gripper. Start: take over and give back. B: emergency stop.
 */
export class Gamepad {
  private readonly axes = new Map<number, number>();
  private readonly buttons = new Set<number>();

  take({ kind, number, value }: JsEvent): GamepadWish | undefined {
    if (kind === 'axis') {
      this.axes.set(number, value / FULL);
      return undefined;
    }
    const pressed = value !== 0 && !this.buttons.has(number);
    if (value === 0) this.buttons.delete(number);
    else this.buttons.add(number);
    if (!pressed) return undefined;
    if (number === Button.emergencyStop) return 'emergency_stop';
    return number === Button.take ? 'take' : undefined;
  }

  /** While the switch is held. */
  hand(): Hand | undefined {
    if (!this.buttons.has(Button.deadman)) return undefined;
    // A trigger that has not moved yet reads 0 in place of its resting −1.
    const trigger = (axis: number) => (this.axes.has(axis) ? (this.axes.get(axis)! + 1) / 2 : 0);
    return {
      linear: [-this.axis(Axis.leftY), -this.axis(Axis.leftX), -this.axis(Axis.rightY)],
      roll: this.axis(Axis.rightX),
      pitch: this.axis(Axis.up),
      gripper: clamp(trigger(Axis.open) - trigger(Axis.close)),
    };
  }

  /** The device is gone: nothing is held. */
  forget(): void {
    this.axes.clear();
    this.buttons.clear();
  }

  private axis(number: number): number {
    const x = this.axes.get(number) ?? 0;
    return Math.abs(x) < DEAD_ZONE ? 0 : clamp((x - Math.sign(x) * DEAD_ZONE) / (1 - DEAD_ZONE));
  }
}

function clamp(x: number): number {
  return Math.min(1, Math.max(-1, x));
}
