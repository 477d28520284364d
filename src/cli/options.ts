import { InvalidArgumentError, Option } from 'commander';
import { parse } from 'yaml';
import type { TaskParameters } from '../tasks/task.js';
import { engineNames } from '../tensor/engineNames.js';

/** Parsers for the values of command line options; commander puts the option's name before the message. */

/** A whole number of at least 1. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  return value;
}

/** A seed: a whole number of 32 bits. */
export function seed(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0xffffffff)
    throw new InvalidArgumentError('Expected a whole number from 0 to 4294967295.');
  return value;
}

/** A name of a robot or a site: part of topics and of paths. */
export function fleetName(text: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) throw new InvalidArgumentError('Expected letters, digits, "_", "-".');
  return text;
}

/** A duration in seconds, greater than 0. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('Expected seconds, greater than 0.');
  return value;
}

/** `--engine`: what the learner's updates run on. */
export function engineOption(): Option {
  return new Option('--engine <name>', 'what the learner runs on; auto where not given').choices([
    'auto',
    ...engineNames,
  ]);
}

/** `--set NAME=VALUE`, as often as wanted: parameters of the task. Values are YAML, as in a launch file. */
export function setOption(): Option {
  return new Option(
    '--set <name=value>',
    'a parameter of the task, as `parameters` of a launch file',
  ).argParser((text, before: TaskParameters | undefined): TaskParameters => {
    const [, name, value] = /^([A-Za-z]\w*)=(.+)$/s.exec(text) ?? [];
    if (name === undefined) throw new InvalidArgumentError('Expected NAME=VALUE.');
    try {
      return { ...before, [name]: parse(value) };
    } catch {
      throw new InvalidArgumentError(`The value of ${name} is not valid YAML.`);
    }
  });
}

/** A TCP port; 0 for any that is free. */
export function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65535)
    throw new InvalidArgumentError('Expected a whole number from 0 to 65535.');
  return value;
}
