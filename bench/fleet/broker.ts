import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';
import { freePort, reachable } from './port.js';

export interface BrokerProcess {
  /** With its version, where it says one. */
  readonly name: string;
  readonly url: string;
  readonly child: Child;
  /** Resolves when it takes connections. */
  listening(): Promise<void>;
}

/** Debian puts it where not everybody's PATH leads. */
const MOSQUITTO = ['mosquitto', '/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'];

/** Mosquitto where it is installed, else the broker that Reverie brings along; each a process of its own. */
export async function brokerProcess(folder: string, onLine?: (line: string) => void): Promise<BrokerProcess> {
  const port = await freePort();
  const found = MOSQUITTO.map((program) => ({ program, help: spawnSync(program, ['-h']) })).find(
    ({ help }) => help.error === undefined,
  );
  const listening = async () => {
    while (!(await reachable(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const url = `mqtt://127.0.0.1:${port}`;
  if (!found) {
    const entry = fileURLToPath(new URL('./embeddedBroker.js', import.meta.url));
    const child = new Child('broker', [process.execPath, entry, String(port)], onLine);
    return { name: 'aedes (mosquitto is not installed)', url, child, listening };
  }
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\nlog_type error\n`);
  const child = new Child('broker', [found.program, '-c', config], onLine);
  const name = found.help.stdout.toString().match(/mosquitto version \S+/)?.[0] ?? 'mosquitto';
  return { name: name.replace(' version', ''), url, child, listening };
}
