import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseUserInput, UserError } from '../base/errors.js';

/** How to get to a broker, and in. */
export interface BrokerAccess {
  /** mqtt:// or mqtts:// (TLS), ws:// or wss://. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** PEM: who may vouch for the broker, and our own certificate and key where it asks for one. */
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Files of a broker's access; each also by the environment variable beside it. */
export interface AccessFiles {
  /** JSON {"username", "password"}; REVERIE_MQTT_USERNAME, REVERIE_MQTT_PASSWORD. */
  readonly credentials?: string;
  /** REVERIE_MQTT_CA, REVERIE_MQTT_CERT, REVERIE_MQTT_KEY: paths of PEM files. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const credentialsSchema = z.strictObject({ username: z.string().min(1), password: z.string() });
const PROTOCOLS = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Gathers what files and environment say; secrets are never on the command line, where every user
 * of the machine can read them.
 * @throws UserError naming the file or variable that is wrong
 */
export function brokerAccess(
  url: string,
  files: AccessFiles = {},
  env: NodeJS.ProcessEnv = process.env,
): BrokerAccess {
  const parsed = parseUrl(url);
  const pem = (option: string | undefined, variable: string) => {
    const path = option ?? env[variable];
    return path === undefined ? undefined : readBytes(path);
  };
  const given = files.credentials ? readCredentials(files.credentials) : undefined;
  const access = {
    url,
    username: given?.username ?? env.REVERIE_MQTT_USERNAME,
    password: given?.password ?? env.REVERIE_MQTT_PASSWORD,
    ca: pem(files.ca, 'REVERIE_MQTT_CA'),
    cert: pem(files.cert, 'REVERIE_MQTT_CERT'),
    key: pem(files.key, 'REVERIE_MQTT_KEY'),
  };
  const plain = parsed.protocol === 'mqtt:' || parsed.protocol === 'ws:';
  if (plain && access.password !== undefined && !LOOPBACK.test(parsed.hostname))
    throw new UserError(`${url}: a password would travel in the clear; use mqtts:// (TLS)`);
  return access;
}

function parseUrl(url: string): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new UserError(`"${url}" is no URL of a broker; expected mqtt://HOST:PORT or mqtts://HOST:PORT`);
  }
  if (!PROTOCOLS.includes(parsed.protocol))
    throw new UserError(`${url}: expected one of ${PROTOCOLS.join(', ')} at its start`);
  if (parsed.username || parsed.password)
    throw new UserError(`${parsed.host}: credentials come from a file or the environment, not from the URL`);
  return parsed;
}

function readCredentials(path: string): z.output<typeof credentialsSchema> {
  let json: unknown;
  try {
    json = JSON.parse(readBytes(path).toString('utf8'));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${path}: not valid JSON; expected {"username": …, "password": …}`);
  }
  return parseUserInput(credentialsSchema, json, path);
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
