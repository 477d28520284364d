import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageInfo } from '../base/packageInfo.js';
import { makeRealtime } from '../control/realtime.js';
import { whyNoRclnodejs } from '../ros/transport/rclnodejs.js';

/** What `reverie doctor` found of one part. */
export interface Finding {
  readonly part: string;
  /** Whether Reverie is of use without it. */
  readonly required: boolean;
  readonly works: boolean;
  /** What is there, or why it does not work. */
  readonly found: string;
  /** What would make it work. */
  readonly help?: string;
  /** The name under which learners ask for it, where it is an engine. */
  readonly engine?: string;
}

const run = promisify(execFile);

export function checkNode(): Finding {
  const wanted = packageInfo.engines.node;
  const numbers = (text: string) =>
    text
      .replace(/^[^\d]*/, '')
      .split('.')
      .map(Number);
  const [major, minor] = numbers(process.version);
  const [leastMajor, leastMinor] = numbers(wanted);
  return {
    part: 'Node.js',
    required: true,
    works: major > leastMajor || (major === leastMajor && minor >= leastMinor),
    found: process.version,
    help: `install Node.js ${wanted}`,
  };
}

/** The engines that learners can run on, each tried. ONNX Runtime is the one that has to be there. */
export async function checkEngines(): Promise<Finding[]> {
  try {
    const { engineNames, findEngine } = await import('../tensor/index.js');
    const engines = await Promise.all(engineNames.map(findEngine));
    return engines.map(({ name, title, available, found, help }) => ({
      part: `engine ${name}`,
      engine: name,
      required: name === 'onnx',
      works: available,
      found: `${title}: ${found}`,
      help,
    }));
  } catch (error) {
    const found = (error as Error).message;
    return [{ part: 'engine onnx', engine: 'onnx', required: true, works: false, found, help: 'npm ci' }];
  }
}

export async function checkMujoco(): Promise<Finding> {
  const part = { part: 'MuJoCo', required: true, help: 'npm ci' };
  try {
    const { loadMujoco } = await import('../../sim/mujoco.js');
    return { ...part, works: true, found: `${(await loadMujoco()).mj_versionString()}, WebAssembly` };
  } catch (error) {
    return { ...part, works: false, found: (error as Error).message };
  }
}

/** Whether a process of this user may be given to the real-time scheduler, tried on an idle one. */
export async function checkRealtime(): Promise<Finding> {
  const idle = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  try {
    const refused = await makeRealtime(String(idle.pid), 50);
    return {
      part: 'real-time scheduling',
      required: false,
      works: refused === undefined,
      found: refused ?? 'SCHED_FIFO permitted',
      help:
        process.platform === 'linux'
          ? 'a line "USER - rtprio 50" in /etc/security/limits.d/reverie.conf and a new login; in a container --cap-add SYS_NICE'
          : 'Linux has it; elsewhere the control loop runs at ordinary priority',
    };
  } finally {
    idle.kill();
  }
}

/** Whether nodes reach ROS 2 itself. */
export function checkRos2(): Finding {
  const why = whyNoRclnodejs();
  return {
    part: 'ROS 2 (rclnodejs)',
    required: false,
    works: why === undefined,
    found: why ?? `${process.env.ROS_DISTRO}`,
    help: 'not needed on a robot with Cyclone DDS: reverie ros build-cyclone',
  };
}

export async function checkCompiler(): Promise<Finding> {
  for (const name of ['c++', 'g++', 'clang++']) {
    try {
      const { stdout } = await run(name, ['--version']);
      return { part: 'C++ compiler', required: false, works: true, found: stdout.split('\n')[0] };
    } catch {
      // the next one, then
    }
  }
  return {
    part: 'C++ compiler',
    required: false,
    works: false,
    found: 'none of c++, g++, clang++',
    help: 'apt install g++, or xcode-select --install',
  };
}

/** Serial ports that a robot's bus adapter may be at, and whether this user may open them. */
export function serialPorts(): { readonly path: string; readonly permitted: boolean }[] {
  const pattern = process.platform === 'darwin' ? /^cu\.(usb|wch)/ : /^tty(USB|ACM|AMA|THS)\d+$/;
  const names = existsSync('/dev') ? readdirSync('/dev').filter((name) => pattern.test(name)) : [];
  return names.map((name) => {
    const path = join('/dev', name);
    try {
      accessSync(path, constants.R_OK | constants.W_OK);
      return { path, permitted: true };
    } catch {
      return { path, permitted: false };
    }
  });
}
