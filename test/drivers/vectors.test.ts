import { describe, expect, it } from 'vitest';
import * as slcan from '../../drivers/can/slcan.js';
import * as dynamixel from '../../drivers/dynamixel/codec.js';
import * as feetech from '../../drivers/feetech/codec.js';
import { Framer } from '../../drivers/framing.js';
import * as mit from '../../drivers/mitcan/codec.js';
import * as moteus from '../../drivers/moteus/codec.js';
import * as odrive from '../../drivers/odrive/codec.js';

const hex = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('hex')
    .toUpperCase()
    .replace(/..(?=.)/g, '$& ');

describe('published examples', () => {
  it('of Dynamixel Protocol 2.0', () => {
    expect(hex(dynamixel.ping(1))).toBe('FF FF FD 00 01 03 00 01 19 4E');
    expect(hex(dynamixel.write(1, 64, [1]))).toBe('FF FF FD 00 01 06 00 03 40 00 01 DB 66');
    expect(hex(dynamixel.syncRead([1, 2], 132, 4))).toBe('FF FF FD 00 FE 09 00 82 84 00 04 00 01 02 CE FA');
  });

  it('of Feetech', () => {
    expect(hex(feetech.read(1, 56, 2))).toBe('FF FF 01 04 02 38 02 BE');
    expect(hex(feetech.syncRead([1, 2], 56, 15))).toMatch(/^FF FF FE 06 82 38 0F 01 02 2F/);
  });

  it('of moteus over fdcanusb', () => {
    const data = moteus.encodeData(
      [
        { register: moteus.Register.mode, kind: 'int8', values: [moteus.Mode.position] },
        { register: moteus.Register.commandPosition, kind: 'int16', values: [0x0060, 0x0120, -176] },
      ],
      [
        { register: moteus.Register.mode, kind: 'int16', count: 4 },
        { register: moteus.Register.voltage, kind: 'int8', count: 3 },
      ],
    );
    expect(moteus.encodeSend(0, 1, data)).toBe('can send 8001 01000a07206000200150ff140400130d\n');
  });

  it('of ODrive', () => {
    expect(odrive.encodeLine('r vbus_voltage')).toBe('r vbus_voltage *93\n');
  });

  it('of MIT-style actuators', () => {
    const command = { position_rad: 1, velocity_rad_s: 0, kp_nm_rad: 20, kd_nm_s_rad: 1, torque_nm: 0 };
    expect(hex(mit.encodeCommand(command, mit.DM4310))).toBe('8A 3C 7F F0 A3 33 37 FF');
    expect(hex(mit.encodeSpecial('enable'))).toBe('FF FF FF FF FF FF FF FC');
    expect(mit.encodeCommand({ ...command, position_rad: Number.NaN }, mit.DM4310).subarray(0, 2)).toEqual(
      Uint8Array.of(0x7f, 0xff),
    );
  });

  it('of SLCAN', () => {
    expect(slcan.encodeFrame({ id: 1, extended: false, data: mit.encodeSpecial('enable') })).toBe(
      't0018FFFFFFFFFFFFFFFC\r',
    );
  });
});

describe('Dynamixel packets', () => {
  it('are stuffed where they hold what looks like a header', () => {
    const frame = dynamixel.write(1, 0, [0xff, 0xff, 0xfd, 0x00]);
    expect(hex(frame)).toContain('FF FF FD FD 00');
    const seen: dynamixel.Packet[] = [];
    new Framer(dynamixel.framing).push(frame, (packet) => seen.push(packet));
    expect([...seen[0].params]).toEqual([0, 0, 0xff, 0xff, 0xfd, 0x00]);
  });

  it('hold the parts of a fast read', () => {
    const params = [0, 1, 11, 12, 0xab, 0xcd, 0x80, 2, 21, 22];
    const seen: dynamixel.Packet[] = [];
    new Framer(dynamixel.framing).push(
      dynamixel.encode(dynamixel.BROADCAST, dynamixel.Instruction.status, params),
      (packet) => seen.push(packet),
    );
    expect(dynamixel.fastParts(seen[0], [2, 2])).toEqual([
      { id: 1, error: 0, data: Uint8Array.of(11, 12) },
      { id: 2, error: 0x80, data: Uint8Array.of(21, 22) },
    ]);
    expect(dynamixel.fastParts(seen[0], [2, 3])).toBeUndefined();
  });
});
