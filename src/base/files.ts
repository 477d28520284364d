import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { UserError } from './errors.js';

/** The folder of the package: robots/, launch/ and policies/ lie in it. */
export const packageRoot: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
})();

/**
 * Writes a file whole or not at all: a temporary file beside it, flushed, then renamed over it.
 * A crash at any moment leaves either the old file or the new one.
 */
export function writeFileAtomic(path: string, data: string | Uint8Array): void {
  const temporary = `${path}.tmp`;
  const fd = openSync(temporary, 'w');
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}

/** The same, for a thread that must not wait for a disk. */
export async function saveFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w');
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** Reads a YAML file. @throws UserError naming the file, and the line where it does not parse */
export function readYaml(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  try {
    return parse(text, { merge: true });
  } catch (error) {
    throw new UserError(`${path}: not valid YAML: ${(error as Error).message}`);
  }
}

/**
 * Finds what a user named: a name in one of the package's folders, else a path as given. What comes
 * along goes first, so that a folder called `arm` in the working directory does not hide the robot.
 * @param kind folder in the package, "robots" say
 * @param tries file names to try, "{}" standing for what was given
 * @throws UserError that lists where it looked
 */
export function findNamed(kind: string, given: string, tries: readonly string[]): string {
  const shipped = tries.map((t) => join(packageRoot, kind, t.replace('{}', given)));
  const candidates = given.includes('/') ? [resolve(given), ...shipped] : [...shipped, resolve(given)];
  const found = candidates.find((path) => existsSync(path));
  if (found) return found;
  throw new UserError(
    `no ${kind.replace(/s$/, '')} "${given}"; looked for\n${candidates.map((c) => `  ${c}`).join('\n')}`,
  );
}
