import { UserError } from '../../base/errors.js';

/** How ROS 2 names map to DDS. */

/** `pkg/msg/Name` → `pkg::msg::dds_::Name_` */
export function ddsType(type: string): string {
  const [pkg, kind, name] = type.split('/');
  return `${pkg}::${kind}::dds_::${name}_`;
}

/** `/a/b` → `rt/a/b` */
export const ddsTopic = (topic: string) => `rt${topic}`;
export const ddsRequest = (service: string) => `rq${service}Request`;
export const ddsReply = (service: string) => `rr${service}Reply`;

/** One line on two types that share a topic. Takes names of DDS and of ROS 2. */
export function theyDoNotMeet(topic: string, published: string, subscribed: string): string {
  const ros = (type: string) => type.replace(/^(\w+)::(\w+)::dds_::(\w+)_$/, '$1/$2/$3');
  const name = topic.replace(/^rt\//, '/');
  return `${name}: published as ${ros(published)} and subscribed as ${ros(subscribed)}; they do not meet`;
}

const TOKEN = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** @throws UserError where it is no node name */
export function checkNodeName(name: string): string {
  if (!TOKEN.test(name))
    throw new UserError(`"${name}" is no ROS node name: expected letters, digits and "_", not a digit first`);
  return name;
}

/** @throws UserError where it is no absolute name, `/` or `/a/b` */
export function checkAbsolute(name: string, what: string): string {
  const tokens = name.slice(1).split('/');
  if (!name.startsWith('/') || (name !== '/' && !tokens.every((token) => TOKEN.test(token))))
    throw new UserError(`"${name}" is no ${what}: expected "/" and names of letters, digits and "_"`);
  return name;
}

/** A relative, private (`~/…`) or absolute name as an absolute one. */
export function resolveName(name: string, node: string, namespace: string): string {
  const base = namespace === '/' ? '' : namespace;
  if (name.startsWith('/')) return name;
  if (name.startsWith('~')) return `${base}/${node}${name.slice(1)}`;
  return `${base}/${name}`;
}
