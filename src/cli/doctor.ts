import { availableParallelism, totalmem } from 'node:os';
import { Command } from 'commander';
import { packageInfo } from '../base/packageInfo.js';
import {
  checkCompiler,
  checkEngines,
  checkMujoco,
  checkNode,
  checkRealtime,
  checkRos2,
  type Finding,
  serialPorts,
} from './checks.js';
import { printJson, printTable, styled } from './output.js';

const EXAMPLES = `
Exit code: 0 when every required part works, 1 otherwise.

Examples:
  reverie doctor
  reverie doctor --json | jq '.parts[] | select(.works | not)'`;

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('what works on this machine, what does not, and what would help')
    .option('--json', 'print one JSON object instead of a table')
    .addHelpText('after', EXAMPLES)
    .action(doctor);
}

async function doctor({ json }: { readonly json?: true }): Promise<void> {
  const parts: Finding[] = [checkNode(), ...(await checkEngines()), await checkMujoco()];
  // What the package ships can only be opened with the parts above.
  if (parts.every((p) => p.works || !p.required)) {
    const { checkShippedFolders } = await import('./shippedFolders.js');
    parts.push(...(await checkShippedFolders()));
  }
  parts.push(await checkRealtime(), checkRos2(), await checkCompiler());
  const ok = parts.every((p) => p.works || !p.required);
  const report = {
    ok,
    version: packageInfo.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    memory_gib: Number((totalmem() / 2 ** 30).toFixed(1)),
    parts,
    serial_ports: serialPorts(),
  };
  if (json) printJson(report);
  else printReport(report);
  process.exitCode = ok ? 0 : 1;
}

interface Report {
  readonly ok: boolean;
  readonly version: string;
  readonly platform: string;
  readonly cores: number;
  readonly memory_gib: number;
  readonly parts: readonly Finding[];
  readonly serial_ports: ReturnType<typeof serialPorts>;
}

function printReport({ ok, version, platform, cores, memory_gib, parts, serial_ports }: Report): void {
  process.stdout.write(`Reverie ${version} on ${platform}, ${cores} cores, ${memory_gib} GiB\n\n`);
  printTable([
    ...parts.flatMap(rows),
    ...serial_ports.map(({ path, permitted }) => [
      permitted ? styled('green', 'ok') : styled('yellow', 'no'),
      'serial port',
      permitted
        ? path
        : `${path} may not be opened; sudo usermod -aG dialout $USER and a new login would help`,
    ]),
  ]);
  process.stdout.write(ok ? '\nEvery required part works.\n' : '\nA required part does not work.\n');
}

/** A part's row; one below it that says what would help, where something would. */
function rows({ part, required, works, found, help }: Finding): string[][] {
  const mark = works ? styled('green', 'ok') : required ? styled('red', 'FAULT') : styled('yellow', 'no');
  const [first, ...more] = found.split('\n');
  const continued = [...more, ...(works || !help ? [] : [`would help: ${help}`])];
  return [[mark, part, first], ...continued.map((line) => ['', '', line])];
}
