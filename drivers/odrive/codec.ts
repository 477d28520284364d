import { type Framing, lines } from '../framing.js';

/** ODrive's ASCII protocol: lines, with ` *N` behind them where a checksum (XOR of all bytes before) is wanted. */
export type OdriveLine = { readonly text: string; readonly checked: boolean } | { readonly damaged: string };

export const AxisState = { idle: 1, closedLoop: 8 } as const;

export function xorOf(text: string): number {
  let xor = 0;
  for (let i = 0; i < text.length; i++) xor ^= text.charCodeAt(i);
  return xor & 0xff;
}

/** @param checksum ask the drive to check it, and to answer with one */
export function encodeLine(text: string, checksum = true): string {
  return checksum ? `${text} *${xorOf(`${text} `)}\n` : `${text}\n`;
}

const number = (x: number) => (Number.isFinite(x) ? String(Number(x.toFixed(6))) : '0');

/** Position in turns, velocity feed-forward in turns/s, torque feed-forward in Nm. */
export const position = (axis: number, turns: number, velocity = 0, torque_nm = 0) =>
  encodeLine(`p ${axis} ${number(turns)} ${number(velocity)} ${number(torque_nm)}`);
export const velocity = (axis: number, turns_s: number, torque_nm = 0) =>
  encodeLine(`v ${axis} ${number(turns_s)} ${number(torque_nm)}`);
export const torque = (axis: number, torque_nm: number) => encodeLine(`c ${axis} ${number(torque_nm)}`);
export const feedback = (axis: number) => encodeLine(`f ${axis}`);
export const feedWatchdog = (axis: number) => encodeLine(`u ${axis}`);
export const readProperty = (name: string) => encodeLine(`r ${name}`);
export const writeProperty = (name: string, value: number | string) => encodeLine(`w ${name} ${value}`);
export const clearErrors = () => encodeLine('sc');

/** A line of either side. */
export function parseLine(line: string): OdriveLine {
  const text = line.replace(/\r?\n$/, '');
  const star = text.lastIndexOf('*');
  if (star < 0) return { text: text.trim(), checked: false };
  const body = text.slice(0, star);
  const given = text.slice(star + 1);
  return /^\d{1,3}$/.test(given) && Number(given) === xorOf(body)
    ? { text: body.trim(), checked: true }
    : { damaged: text };
}

export const framing: Framing<OdriveLine> = lines(256, '\n', parseLine);

/** Turns and turns/s of an answer to `feedback`. */
export function parseFeedback(
  text: string,
): { readonly turns: number; readonly turns_s: number } | undefined {
  const parts = text
    .split(/\s+/)
    .filter((part) => part !== '')
    .map(Number);
  return parts.length === 2 && parts.every(Number.isFinite)
    ? { turns: parts[0], turns_s: parts[1] }
    : undefined;
}
