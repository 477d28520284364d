import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A place of a stack trace in the source that was written, `FILE:LINE:COLUMN`; the place itself where the file has no
 * source map beside it. Maps are read when they are needed: reading them as modules load would slow every start down.
 * @param file path or file URL @param line counted from 1 @param column counted from 1
 */
export function sourcePosition(file: string, line: number, column: number): string {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  try {
    const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')));
    const entry = map.findEntry(line - 1, column - 1);
    if ('originalSource' in entry && entry.originalSource)
      return `${resolve(dirname(path), entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  } catch {
    // No map, then: a test runner has mapped it already, or it is no compiled file.
  }
  return `${path}:${line}:${column}`;
}
