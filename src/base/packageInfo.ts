import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from './files.js';

/** What `package.json` says of this package. */
export interface PackageInfo {
  readonly version: string;
  readonly description: string;
  readonly engines: { readonly node: string };
}

export const packageInfo: PackageInfo = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
