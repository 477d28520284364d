import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { MessageDefinition } from '@foxglove/message-definition';
import { parse } from '@foxglove/rosmsg';
import { packageRoot } from '../base/files.js';
import { extraDefinitions } from './extraDefinitions.js';

/** ROS 2 Jazzy's own `.msg` files, each with those it refers to, as the package of common messages ships them. */
const shipped = join(
  dirname(createRequire(import.meta.url).resolve('@foxglove/rosmsg-msgs-common/package.json')),
  'msgdefs/ros2jazzy',
);
/** Reverie's own, for what ROS 2 has no type for: the files that its colcon package is built from. */
const OWN = 'reverie_msgs';
const ownFolder = join(packageRoot, 'ros', OWN, 'msg');
const texts = new Map<string, string>();
const parsed = new Map<string, MessageDefinition[]>();

/**
 * The definition of a message type as MCAP and Foxglove take it under the encoding `ros2msg`: the
 * text of the `.msg` file and, after rulers, those of the types in it.
 * @param type full name, `sensor_msgs/msg/JointState` say; `pkg/srv/Name_Request` for half a service
 * @throws Error where nobody knows the type
 */
export function definitionText(type: string): string {
  let text = texts.get(type) ?? extraDefinitions.get(type);
  if (text === undefined) {
    try {
      const [own, name] = type.split('/msg/');
      text = readFileSync(`${own === OWN ? join(ownFolder, name) : join(shipped, type)}.msg`, 'utf8');
    } catch {
      throw new Error(`no definition of message type "${type}"`);
    }
  }
  texts.set(type, text);
  return text;
}

/** The parsed definition: the type itself first, then those in it. @throws Error where nobody knows the type */
export function definitionsOf(type: string): MessageDefinition[] {
  let definitions = parsed.get(type);
  if (!definitions) {
    definitions = parse(definitionText(type), { ros2: true });
    parsed.set(type, definitions);
  }
  return definitions;
}
