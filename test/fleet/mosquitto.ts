import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, reachable } from '../../bench/fleet/port.js';

/** Where Debian puts it: not on everybody's PATH. */
const PATH = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`;
const env = { ...process.env, PATH };

function has(program: string): boolean {
  return spawnSync(program, ['--help'], { env, stdio: 'ignore' }).error === undefined;
}

/** What is missing to run these tests, or undefined. */
export const missing: string | undefined = ['mosquitto', 'mosquitto_passwd', 'openssl'].find((p) => !has(p));
if (missing)
  process.stderr.write(`SKIPPED: ${missing} is not installed (Debian: apt-get install mosquitto openssl)\n`);

export interface Mosquitto {
  readonly port: number;
  /** Its process now; another after `restart`. */
  readonly process: ChildProcess;
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A broker of the test's own, on a port of its own. @param lines of its configuration */
export async function startMosquitto(folder: string, ...lines: string[]): Promise<Mosquitto> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const config = join(folder, 'mosquitto.conf');
  const text = [`listener ${port} 127.0.0.1`, 'max_packet_size 2000000', ...lines, ''].join('\n');
  writeFileSync(config, text);
  let child: ChildProcess;
  const start = async () => {
    child = spawn('mosquitto', ['-c', config], { env, stdio: 'ignore' });
    const exited = new Promise((resolve) => child.once('exit', resolve));
    for (let attempt = 0; attempt < 600; attempt++) {
      if (await reachable(port)) return;
      if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}`);
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
    throw new Error('mosquitto does not listen');
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    port,
    get process() {
      return child;
    },
    kill,
    start,
    close: kill,
  };
}

/** A password file for mosquitto, in its own hashed form. */
export function passwordFile(folder: string, users: Readonly<Record<string, string>>): string {
  const path = join(folder, 'passwords');
  Object.entries(users).forEach(([user, password], i) => {
    execFileSync('mosquitto_passwd', ['-b', ...(i === 0 ? ['-c'] : []), path, user, password], { env });
  });
  return readable(path);
}

export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** An authority and a certificate for 127.0.0.1 that it vouches for. @param days negative: expired */
export function certificates(folder: string, name: string, days: number): Certificates {
  mkdirSync(folder, { recursive: true });
  const at = (file: string) => join(folder, file);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { env, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  if (!existsSync(at('ca.pem')))
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      at('ca.key'),
      '-out',
      at('ca.pem'),
      '-days',
      '2',
      '-subj',
      '/CN=Test',
    );
  openssl('req', ...key, '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', '/CN=127.0.0.1');
  writeFileSync(at('san'), 'subjectAltName=IP:127.0.0.1');
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('san')];
  openssl(
    'x509',
    '-req',
    '-in',
    at(`${name}.csr`),
    ...signing,
    '-out',
    at(`${name}.pem`),
    '-days',
    String(days),
  );
  return { ca: at('ca.pem'), cert: readable(at(`${name}.pem`)), key: readable(at(`${name}.key`)) };
}

/** Mosquitto started by root gives its rights up, and reads its files as somebody else. */
export function readable(path: string): string {
  chmodSync(path, 0o644);
  return path;
}
