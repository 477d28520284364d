import { homedir } from 'node:os';
import { join } from 'node:path';

/** What belongs to the user of this machine and not to one run: REVERIE_CONFIG, else as XDG's base directories say. */
export function configFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.REVERIE_CONFIG ?? join(env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'reverie');
}
