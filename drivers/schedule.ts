import { UserError } from '../src/base/errors.js';

/** What one cycle of a bus puts on the wire. */
export interface Schedule {
  readonly bits: number;
  /** How the bits come about, for messages. */
  readonly sum: string;
  /** Of the wire, where that is not the serial port's. */
  readonly bits_per_s?: number;
  /** Times that a drive answers, each after a delay of its own. */
  readonly answers: number;
  /** Requests that wait for the host: an adapter on USB needs a frame of it for each. */
  readonly turns: number;
}

/** Start bit, eight bits, stop bit. */
const BITS_PER_BYTE = 10;
/** A standard CAN frame with eight bytes, its gap, and as many stuffed bits as it can have. */
const BITS_PER_CAN_FRAME = 135;
const CAN_BITS_PER_S = 1_000_000;
/** What a drive waits before it answers, as delivered. */
const ANSWER_DELAY_S = 50e-6;
/** A request and its answer through a USB 2 adapter: one microframe there, one back, and the host's wake-up. */
const TURN_S = 0.5e-3;

export function serialSchedule(bytes: number, answers: number, turns: number): Schedule {
  return { bits: bytes * BITS_PER_BYTE, sum: `${bytes} bytes × ${BITS_PER_BYTE} bits`, answers, turns };
}

export function canSchedule(frames: number, answers: number, turns: number): Schedule {
  return {
    bits: frames * BITS_PER_CAN_FRAME,
    sum: `${frames} CAN frames × ${BITS_PER_CAN_FRAME} bits`,
    bits_per_s: CAN_BITS_PER_S,
    answers,
    turns,
  };
}

export function wireTime_s({ bits, bits_per_s, answers, turns }: Schedule, baud: number): number {
  return bits / (bits_per_s ?? baud) + answers * ANSWER_DELAY_S + turns * TURN_S;
}

export function wireLimit_hz(schedule: Schedule, baud: number): number {
  return 1 / wireTime_s(schedule, baud);
}

/** @throws UserError with the arithmetic when the cycle does not fit into its period */
export function requireFit(where: string, schedule: Schedule, baud: number, rate_hz: number): void {
  const time_s = wireTime_s(schedule, baud);
  if (time_s <= 1 / rate_hz) return;
  const ms = (s: number) => `${(1e3 * s).toFixed(2)} ms`;
  throw new UserError(
    `${where}: a cycle of ${schedule.sum} / ${schedule.bits_per_s ?? baud} baud + ${schedule.answers} answers × ` +
      `${ms(ANSWER_DELAY_S)} + ${schedule.turns} turns × ${ms(TURN_S)} = ${ms(time_s)} does not fit into the ` +
      `${ms(1 / rate_hz)} of rate_hz ${rate_hz}; at most ${Math.floor(1 / time_s)} Hz${
        schedule.bits_per_s ? '' : ', or a higher baud rate'
      }`,
  );
}
