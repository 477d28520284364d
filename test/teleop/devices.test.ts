import { describe, expect, it } from 'vitest';
import { Gamepad, JsEventParser } from '../../src/teleop/gamepad.js';
import { KeyboardHand } from '../../src/teleop/keyboard.js';
import { jsEvent } from './support.js';

const [BUTTON, AXIS, INIT] = [1, 2, 0x80];

describe('a gamepad', () => {
  it('is read event by event, wherever the stream is cut', () => {
    const stream = Buffer.concat([
      jsEvent(BUTTON | INIT, 4, 0),
      jsEvent(AXIS | INIT, 2, -32767),
      jsEvent(BUTTON, 4, 1),
      jsEvent(AXIS, 1, -32767),
      jsEvent(0x40, 9, 9),
    ]);
    const whole = new JsEventParser().push(stream);
    expect(whole).toEqual([
      { kind: 'button', number: 4, value: 0 },
      { kind: 'axis', number: 2, value: -32767 },
      { kind: 'button', number: 4, value: 1 },
      { kind: 'axis', number: 1, value: -32767 },
    ]);
    for (const size of [1, 3, 7, 9, 15]) {
      const parser = new JsEventParser();
      const events = [];
      for (let at = 0; at < stream.length; at += size)
        events.push(...parser.push(stream.subarray(at, at + size)));
      expect(events).toEqual(whole);
    }
  });

  it('moves nothing unless its switch is held', () => {
    const pad = new Gamepad();
    pad.take({ kind: 'axis', number: 1, value: -32767 });
    expect(pad.hand()).toBeUndefined();
    pad.take({ kind: 'button', number: 4, value: 1 });
    expect(pad.hand()).toMatchObject({ linear: [1, expect.closeTo(0), expect.closeTo(0)], gripper: 0 });
    pad.take({ kind: 'button', number: 4, value: 0 });
    expect(pad.hand()).toBeUndefined();
  });

  it('has a dead zone, triggers that rest at the end of their way, and is still when it is gone', () => {
    const pad = new Gamepad();
    pad.take({ kind: 'button', number: 4, value: 1 });
    pad.take({ kind: 'axis', number: 0, value: 3000 });
    pad.take({ kind: 'axis', number: 5, value: -32767 });
    pad.take({ kind: 'axis', number: 2, value: 32767 });
    expect(pad.hand()).toMatchObject({
      linear: [expect.closeTo(0), expect.closeTo(0), expect.closeTo(0)],
      gripper: -1,
    });
    pad.forget();
    expect(pad.hand()).toBeUndefined();
  });

  it('asks once for each press', () => {
    const pad = new Gamepad();
    const press = (number: number) => pad.take({ kind: 'button', number, value: 1 });
    expect([press(7), press(7), press(1)]).toEqual(['take', undefined, 'emergency_stop']);
    pad.take({ kind: 'button', number: 7, value: 0 });
    expect(press(7)).toBe('take');
  });
});

describe('a keyboard on a terminal', () => {
  it('holds a key until it stops repeating', () => {
    const keys = new KeyboardHand();
    expect(keys.hand(0)).toBeUndefined();
    expect(keys.press('w', 0)).toBe(true);
    expect(keys.hand(50)?.linear[0]).toBeGreaterThan(0);
    keys.press('s', 60);
    expect(keys.hand(61)?.linear[0]).toBeLessThan(0);
    expect(keys.hand(400)).toBeUndefined();
    expect(keys.press('x', 400)).toBe(false);
    keys.hold(500);
    expect(keys.hand(501)).toMatchObject({ linear: [0, 0, 0], gripper: 0 });
  });
});
