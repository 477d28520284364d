import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../src/ros/codec.js';
import { definitionText } from '../../src/ros/definitions.js';
import { golden, plain } from './golden.js';

describe('the codec', () => {
  it.each(golden.map((g, i) => [`${i} ${g.type}`, g] as const))('makes the bytes of rcl: %s', (_, g) => {
    expect(Buffer.from(encode(g.type, g.message)).toString('hex')).toBe(g.cdr.toString('hex'));
    expect(plain(decode(g.type, g.cdr))).toEqual(g.message);
  });

  it('says which type it does not know', () => {
    expect(() => encode('my_msgs/msg/Thing', {})).toThrow(
      'no definition of message type "my_msgs/msg/Thing"',
    );
  });

  it('refuses bytes that end too early, and an array of fixed length with another', () => {
    const twist = golden.find((g) => g.type === 'geometry_msgs/msg/Twist')!;
    expect(() => decode(twist.type, twist.cdr.subarray(0, 40))).toThrow(RangeError);
    expect(() => encode('sensor_msgs/msg/Imu', { orientation_covariance: [1, 2] })).toThrow(/9/);
  });
});

describe('definition texts', () => {
  it('hold every type that the type refers to', () => {
    const text = definitionText('sensor_msgs/msg/JointState');
    expect(text).toContain('float64[] effort');
    expect(text).toMatch(/^={80}\nMSG: std_msgs\/Header$/m);
  });

  it('are there for every type of the golden messages', () => {
    for (const { type } of golden) expect(() => definitionText(type)).not.toThrow();
  });
});
