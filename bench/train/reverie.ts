import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/files.js';

/**
 * Runs a command as a user would, its progress on this process's standard error.
 * @returns the object that it prints with --json
 * @throws Error where it fails
 */
export function reverie<Result>(...args: string[]): Promise<Result> {
  const command = [join(packageRoot, 'bin/reverie.js'), ...args, '--json'];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('exit', (code) => {
      if (code === 0) resolve(JSON.parse(text.trim().split('\n').at(-1)!));
      else reject(new Error(`reverie ${args[0]} ended with ${code}`));
    });
  });
}

/** `reverie train` with these arguments. @throws Error where it fails */
export function reverieTrain<Result>(...args: string[]): Promise<Result> {
  return reverie('train', ...args);
}
