import { Command, InvalidArgumentError, Option } from 'commander';
import { wireLimit_hz } from '../../drivers/schedule.js';
import { idsOf, type Protocol, protocols, scan } from '../../drivers/tools/scan.js';
import type { Measured, Tool } from '../../drivers/tools/tool.js';
import { UserError } from '../base/errors.js';
import { count } from './options.js';
import { figure, printJson, printTable } from './output.js';

const EXAMPLES = `
Examples:
  reverie bus scan /dev/ttyACM0                     who answers, and what it is
  reverie bus scan /dev/ttyACM1 --protocol mitcan   the same on an SLCAN adapter; can0 for SocketCAN
  reverie bus set-id /dev/ttyACM0 1 6               the drive with id 1 gets id 6
  reverie bus monitor /dev/ttyACM0                  positions, loads and temperatures, live
  reverie bus bench /dev/ttyACM0 --json             how fast a full cycle is

MIT-style drives answer to commands alone: monitor, bench and set-id tell them to let go. Others keep their torque.`;

const HIGHEST_ID = 253;
/** Longest that an answer may take where nothing else is asked for, ms. */
const WAIT_MS = 15;
const MONITOR_MS = 200;

interface Common {
  readonly protocol: Protocol;
  readonly baud: number;
  readonly wait: number;
  readonly json?: true;
  readonly ids?: readonly number[];
}

export function busCommand(): Command {
  const command = new Command('bus')
    .description('look at the drives on a line, of any family, and give them their ids')
    .addHelpText('after', EXAMPLES);
  const sub = (name: string, what: string) =>
    command
      .command(name)
      .description(what)
      .argument('<port>', 'path of the serial port, or interface of SocketCAN')
      .addOption(
        new Option('--protocol <name>', 'of the drives').choices(Object.keys(protocols)).default('feetech'),
      )
      .option('--baud <n>', 'of the port', count, 1_000_000)
      .option('--wait <ms>', 'longest that an answer may take', count, WAIT_MS)
      .option('--json', 'print the result for machines');
  sub('scan', 'list the drives that answer')
    .option('--ids <list>', 'ids to try, 1-10 or 1,2,5; all where not given', ids)
    .action(onLine(scanLine));
  sub('set-id', 'give a drive another id; only one with the old id may be on the line')
    .argument('<from>', 'its id now', id)
    .argument('<to>', 'its new id', id)
    .action((port: string, from: number, to: number, options: Common) =>
      onLine<Common>((tool) => setId(tool, from, to, options))(port, options),
    );
  sub('monitor', 'show what the drives measure')
    .option('--ids <list>', 'ids to show; those that answer where not given', ids)
    .option('--times <n>', 'end after this many rows', count)
    .action(onLine(monitor));
  sub('bench', 'time full cycles; goals are where the drives stand, torque is not touched')
    .option('--ids <list>', 'ids to use; those that answer where not given', ids)
    .option('--cycles <n>', 'cycles to time', count, 500)
    .action(onLine(bench));
  return command;
}

function onLine<O extends Common>(work: (tool: Tool, options: O) => Promise<void>) {
  return async (port: string, options: O): Promise<void> => {
    const tool = await protocols[options.protocol].open(port, options.baud);
    try {
      tool.patience_ms = options.wait;
      await work(tool, options);
    } finally {
      await tool.close();
    }
  };
}

async function scanLine(tool: Tool, { protocol, ids, json }: Common): Promise<void> {
  const list = await scan(tool, ids ?? idsOf(protocol));
  if (json) printJson(list);
  else if (list.length === 0) process.stdout.write(`${nobody(tool, protocol)}\n`);
  else
    printTable([
      ['port', 'id', 'model', 'firmware'],
      ...list.map((f) => [f.port, String(f.id), String(f.model), f.firmware]),
    ]);
}

function nobody({ port, baud }: Tool, protocol: Protocol): string {
  return `${port} at ${baud} baud: nobody answers in ${protocol}; supply on? try another --baud or --protocol`;
}

async function setId(tool: Tool, from: number, to: number, { protocol, json }: Common): Promise<void> {
  const { port } = tool;
  const where = `${port}, id ${from}`;
  const [lowest, highest] = protocols[protocol].ids;
  if (to < lowest || to > highest)
    throw new UserError(`${where}: ${to} is no id of ${protocol}; expected ${lowest} to ${highest}`);
  if (!(await tool.identify(from)))
    throw new UserError(
      `${where} does not answer; \`reverie bus scan ${port} --protocol ${protocol}\` shows who does`,
    );
  if (from !== to && (await tool.identify(to)))
    throw new UserError(`${port}, id ${to}: is taken; take that drive off the line first`);
  await tool.setId(from, to);
  if (json) printJson({ port, from, to });
  else process.stdout.write(`${where} has id ${to} now\n`);
}

async function present(tool: Tool, { protocol, ids }: Common): Promise<number[]> {
  const list = (await scan(tool, ids ?? idsOf(protocol))).map((f) => f.id);
  if (list.length === 0) throw new UserError(nobody(tool, protocol));
  return list;
}

async function monitor(tool: Tool, options: Common & { readonly times?: number }): Promise<void> {
  const { json, times } = options;
  const all = await present(tool, options);
  const live = process.stdout.isTTY && !json;
  for (let row = 0; times === undefined || row < times; row++) {
    const measured = await tool.measure(all);
    if (json)
      printJson(all.map((drive) => ({ id: drive, ...(measured.get(drive) ?? { silent: true as const }) })));
    else {
      if (live && row > 0) process.stdout.write(`\u001b[${all.length + 1}A`);
      printTable([
        ['id', 'position', 'load', 'torque', 'current', 'supply', 'temperature', 'fault'],
        ...all.map((drive) => [String(drive), ...inWords(measured.get(drive))]),
      ]);
    }
    await new Promise((resolve) => setTimeout(resolve, MONITOR_MS));
  }
}

function inWords(measured: Measured | undefined): string[] {
  if (!measured) return ['silent'];
  const { position_rad, load, torque_nm, current_a, voltage_v, temperature_c, fault } = measured;
  return [
    figure(position_rad, 3, 'rad'),
    figure(load, 2),
    figure(torque_nm, 2, 'Nm'),
    figure(current_a, 2, 'A'),
    figure(voltage_v, 1, 'V'),
    figure(temperature_c, 0, '°C'),
    fault ?? '',
  ];
}

async function bench(tool: Tool, options: Common & { readonly cycles: number }): Promise<void> {
  const { cycles, json } = options;
  const all = await present(tool, options);
  const times_ms: number[] = [];
  let errors = 0;
  const began = performance.now();
  for (let i = 0; i < cycles; i++) {
    const start = performance.now();
    const answered = await tool.cycle(all);
    times_ms.push(performance.now() - start);
    if (answered.size < all.length) errors++;
  }
  const cycle_hz = (1e3 * cycles) / (performance.now() - began);
  times_ms.sort((a, b) => a - b);
  const quantile = (q: number) => times_ms[Math.min(cycles - 1, Math.floor(q * cycles))];
  const schedule = tool.schedule(all.length);
  const result = {
    drives: all.length,
    cycle_bits: schedule.bits,
    cycle_hz: round(cycle_hz),
    p50_ms: round(quantile(0.5)),
    p99_ms: round(quantile(0.99)),
    errors,
    wire_limit_hz: round(wireLimit_hz(schedule, tool.baud)),
  };
  if (json) printJson(result);
  else printTable(Object.entries(result).map(([name, value]) => [name, String(value)]));
}

const round = (x: number) => Number(x.toFixed(3));

function id(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > HIGHEST_ID)
    throw new InvalidArgumentError(`Expected an id from 0 to ${HIGHEST_ID}.`);
  return value;
}

function ids(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-').map(id);
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  });
}
