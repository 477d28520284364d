import { Command, InvalidArgumentError, Option } from 'commander';
import { cycleOf, FeetechBus } from '../../drivers/feetech/bus.js';
import { syncRead, syncWrite, write } from '../../drivers/feetech/codec.js';
import { decodeFeedback, FEEDBACK, Register } from '../../drivers/feetech/registers.js';
import { type Found, idRange, scan } from '../../drivers/scan.js';
import { wireLimit_hz } from '../../drivers/schedule.js';
import { UserError } from '../base/errors.js';
import { count } from './options.js';
import { figure, printJson, printTable } from './output.js';

const EXAMPLES = `
Examples:
  reverie bus scan /dev/ttyACM0                who answers, and what it is
  reverie bus scan /dev/ttyACM1 --protocol mitcan   the same on an SLCAN adapter; can0 for SocketCAN
  reverie bus set-id /dev/ttyACM0 1 6          the servo with id 1 gets id 6
  reverie bus monitor /dev/ttyACM0             positions, loads and temperatures, live
  reverie bus bench /dev/ttyACM0 --json        how fast a full cycle is`;

const HIGHEST_ID = 253;
/** Longest that an answer may take where nothing else is asked for, ms. */
const WAIT_MS = 15;
const MONITOR_MS = 200;

interface Common {
  readonly baud: number;
  readonly wait: number;
  readonly json?: true;
  readonly ids?: readonly number[];
}

export function busCommand(): Command {
  const command = new Command('bus')
    .description('look at the drives on a line: scan for any family, the rest for Feetech STS')
    .addHelpText('after', EXAMPLES);
  const sub = (name: string, what: string) =>
    command
      .command(name)
      .description(what)
      .argument('<port>', 'path of the serial port')
      .option('--baud <n>', 'of the servos', count, 1_000_000)
      .option('--wait <ms>', 'longest that an answer may take', count, WAIT_MS)
      .option('--json', 'print the result for machines');
  sub('scan', 'list the drives that answer')
    .option('--ids <list>', 'ids to try, 1-10 or 1,2,5; all where not given', ids)
    .addOption(
      new Option('--protocol <name>', 'of the drives').choices(Object.keys(idRange)).default('feetech'),
    )
    .action(scanPort);
  sub('set-id', 'give a servo another id; only one with the old id may be on the line')
    .argument('<from>', 'its id now', id)
    .argument('<to>', 'its new id', id)
    .action((port: string, from: number, to: number, options: Common) =>
      withBus(port, options, (bus) => setId(bus, from, to, options)),
    );
  sub('monitor', 'show what the servos measure')
    .option('--ids <list>', 'ids to show; those that answer where not given', ids)
    .option('--times <n>', 'end after this many rows', count)
    .action((port: string, options: Common & { times?: number }) => withBus(port, options, monitor));
  sub(
    'bench',
    'time full cycles: all goals out, all samples in; goals are where the servos stand, torque is not touched',
  )
    .option('--ids <list>', 'ids to use; those that answer where not given', ids)
    .option('--cycles <n>', 'cycles to time', count, 500)
    .action((port: string, options: Common & { cycles: number }) => withBus(port, options, bench));
  return command;
}

async function withBus<O extends Common>(
  port: string,
  options: O,
  work: (bus: FeetechBus, options: O) => Promise<void>,
): Promise<void> {
  const bus = await FeetechBus.open(port, options.baud);
  try {
    bus.patience_ms = options.wait;
    await work(bus, options);
  } finally {
    await bus.wire.close();
  }
}

async function found(bus: FeetechBus, candidates: readonly number[] | undefined): Promise<Found[]> {
  const list: Found[] = [];
  for (const candidate of candidates ?? Array.from({ length: HIGHEST_ID + 1 }, (_, i) => i)) {
    if (!(await bus.ping(candidate))) continue;
    const data = await bus.read(candidate, Register.firmware, 5);
    if (data)
      list.push({
        port: bus.wire.path,
        id: candidate,
        model: data[3] | (data[4] << 8),
        firmware: `${data[0]}.${data[1]}`,
      });
  }
  return list;
}

async function scanPort(
  port: string,
  { protocol, baud, wait, ids, json }: Common & { readonly protocol: keyof typeof idRange },
): Promise<void> {
  const [lowest, highest] = idRange[protocol];
  const all = Array.from({ length: highest - lowest + 1 }, (_, i) => lowest + i);
  const list = await scan(protocol, port, baud, ids ?? all, wait);
  if (json) printJson(list);
  else if (list.length === 0)
    process.stdout.write(
      `${port} at ${baud} baud: nobody answers in ${protocol}; supply on? try another --baud or --protocol\n`,
    );
  else
    printTable([
      ['port', 'id', 'model', 'firmware'],
      ...list.map((f) => [f.port, String(f.id), String(f.model), f.firmware]),
    ]);
}

async function setId(bus: FeetechBus, from: number, to: number, { json }: Common): Promise<void> {
  const where = `${bus.wire.path}, id ${from}`;
  if (!(await bus.ping(from)))
    throw new UserError(`${where} does not answer; \`reverie bus scan ${bus.wire.path}\` shows who does`);
  if (from !== to && (await bus.ping(to)))
    throw new UserError(`${bus.wire.path}, id ${to}: is taken; take that servo off the line first`);
  await confirmed(bus, from, Register.lock, 0);
  // It may confirm under its new id, or not at all: what counts is who answers afterwards.
  await bus.askAll(write(from, Register.id, [to]), [from], 0);
  if (!(await bus.ping(to)))
    throw new UserError(`${where}, register ${Register.id}: ${to} is not taken; nobody answers there`);
  await confirmed(bus, to, Register.lock, 1);
  if (json) printJson({ port: bus.wire.path, from, to });
  else process.stdout.write(`${where} has id ${to} now\n`);
}

async function confirmed(bus: FeetechBus, servo: number, register: number, value: number): Promise<void> {
  if (!(await bus.write(servo, register, [value])))
    throw new UserError(
      `${bus.wire.path}, id ${servo}, register ${register}: ${value} is not confirmed; check cable and supply`,
    );
}

async function present(bus: FeetechBus, candidates: readonly number[] | undefined): Promise<number[]> {
  const list = (await found(bus, candidates)).map((f) => f.id);
  if (list.length === 0)
    throw new UserError(`${bus.wire.path} at ${bus.wire.baud} baud: nobody answers; supply on, baud right?`);
  return list;
}

async function monitor(bus: FeetechBus, { ids, times, json }: Common & { times?: number }): Promise<void> {
  const all = await present(bus, ids);
  const live = process.stdout.isTTY && !json;
  for (let row = 0; times === undefined || row < times; row++) {
    const answers = await bus.askAll(syncRead(all, FEEDBACK.address, FEEDBACK.length), all, FEEDBACK.length);
    const rows = all.map((servo) => {
      const answer = answers.get(servo);
      return {
        id: servo,
        ...(answer ? { error: answer.code, ...decodeFeedback(answer.params) } : { silent: true as const }),
      };
    });
    if (json) printJson(rows);
    else {
      if (live && row > 0) process.stdout.write(`\u001b[${all.length + 1}A`);
      printTable([
        ['id', 'position', 'load', 'voltage', 'temperature', 'current'],
        ...rows.map((r) =>
          'silent' in r
            ? [String(r.id), 'silent']
            : [
                String(r.id),
                String(r.position),
                String(r.load),
                figure(r.voltage_v, 1, 'V'),
                figure(r.temperature_c, 0, '°C'),
                figure(r.current_a, 2, 'A'),
              ],
        ),
      ]);
    }
    await new Promise((resolve) => setTimeout(resolve, MONITOR_MS));
  }
}

async function bench(bus: FeetechBus, { ids, cycles, json }: Common & { cycles: number }): Promise<void> {
  const all = await present(bus, ids);
  const question = syncRead(all, FEEDBACK.address, FEEDBACK.length);
  const times_ms: number[] = [];
  let errors = 0;
  let goals: number[][] | undefined;
  const began = performance.now();
  for (let i = 0; i < cycles; i++) {
    const start = performance.now();
    if (goals) bus.tell(syncWrite(all, Register.goalPosition, 2, goals));
    const answers = await bus.askAll(question, all, FEEDBACK.length);
    times_ms.push(performance.now() - start);
    if (answers.size < all.length) errors++;
    else goals ??= all.map((servo) => Array.from(answers.get(servo)!.params.subarray(0, 2)));
  }
  const cycle_hz = (1e3 * cycles) / (performance.now() - began);
  times_ms.sort((a, b) => a - b);
  const quantile = (q: number) => times_ms[Math.min(cycles - 1, Math.floor(q * cycles))];
  const schedule = cycleOf(all.length);
  const result = {
    servos: all.length,
    cycle_bytes: schedule.bits / 10,
    cycle_hz: round(cycle_hz),
    p50_ms: round(quantile(0.5)),
    p99_ms: round(quantile(0.99)),
    errors,
    wire_limit_hz: round(wireLimit_hz(schedule, bus.wire.baud)),
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
