import { Command } from 'commander';
import { Link } from '../fleet/link.js';
import { MetricsServer } from '../fleet/prometheus.js';
import { type SiteMessage, SiteView } from '../fleet/siteView.js';
import { keysIn, makeKeys, ownKeys } from '../policy/signature.js';
import { accessOf, addBrokerOptions, type BrokerOptions } from './brokerOptions.js';
import { fleetName, port, seconds } from './options.js';
import { figure, printJson, printTable } from './output.js';

const EXAMPLES = `
Examples:
  reverie fleet status --broker mqtt://127.0.0.1:1883           a table, renewed every second
  reverie fleet status --seconds 2 --json                       once, as one object
  reverie fleet watch --json | jq 'select(.topic | endswith("safety"))'
  reverie fleet watch --metrics 9464                            everything for Prometheus
  reverie fleet keys                                            where this user's keys to sign policies are
  reverie fleet keys --out keys                                 others`;

const DEFAULT_BROKER = 'mqtt://127.0.0.1:1883';
const RENEW_MS = 1000;

interface SiteOptions extends BrokerOptions {
  readonly site: string;
  readonly seconds?: number;
  readonly json?: true;
  readonly metrics?: number;
}

export function fleetCommand(): Command {
  const fleet = new Command('fleet')
    .description(
      'robots and learners that share a broker: who is there, how they are, keys for their policies',
    )
    .addHelpText('after', EXAMPLES);
  const about = (name: string, description: string) =>
    addBrokerOptions(fleet.command(name).description(description), DEFAULT_BROKER)
      .option('--site <name>', 'of the fleet', fleetName, 'local')
      .option('--seconds <s>', 'end after this long', seconds);
  about('status', 'a live table of robots and learners')
    .option('--json', 'print one object at the end, nothing else, on standard output')
    .action((options: SiteOptions) => status(options));
  about('watch', 'every message, a line each, as it comes')
    .option('--json', 'as JSON, topic and payload')
    .option('--metrics <port>', 'for Prometheus, on the loopback interface', port)
    .action((options: SiteOptions) => watch(options));
  fleet
    .command('keys')
    .description('a pair of Ed25519 keys: one signs policies, the other is what robots trust')
    .option('--out <folder>', "where new ones go; without it, this user's own, made where there are none")
    .option('--json', 'print one object, nothing else, on standard output')
    .action((options: { out?: string; json?: true }) => {
      const files = options.out === undefined ? keysIn(ownKeys()) : makeKeys(options.out);
      if (options.json) printJson(files);
      else
        printTable([
          ['learner', `reverie learn --signing-key ${files.private}`],
          ['robots', `reverie run --trust ${files.public}`],
        ]);
    });
  return fleet;
}

async function open(
  options: SiteOptions,
  onMessage: (message: SiteMessage, view: SiteView) => void = () => {},
): Promise<{ view: SiteView; link: Link }> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const link = await Link.connect(accessOf(options.broker ?? DEFAULT_BROKER, options), { onNotice: say });
  const view: SiteView = await SiteView.open(link, options.site, (message) => onMessage(message, view), say);
  return { view, link };
}

/** Until its time is over or Ctrl-C. */
function over(limit_s: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (limit_s !== undefined) setTimeout(resolve, 1e3 * limit_s);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

async function status(options: SiteOptions): Promise<void> {
  const { view, link } = await open(options);
  const live = !options.json && process.stdout.isTTY;
  const show = () => {
    if (live) process.stdout.write('\u001b[H\u001b[J');
    printTable(table(view));
  };
  const ticker = live ? setInterval(show, RENEW_MS) : undefined;
  // Where nobody looks at a terminal the table comes once, after what is retained has come.
  await over(options.seconds ?? (live ? undefined : 2));
  clearInterval(ticker);
  if (options.json) printJson({ robots: [...view.robots.values()], learners: [...view.learners.values()] });
  else if (!live) show();
  await link.close();
}

async function watch(options: SiteOptions): Promise<void> {
  const server = options.metrics === undefined ? undefined : await MetricsServer.open(options.metrics);
  if (server) process.stderr.write(`metrics at ${server.url}\n`);
  const { link } = await open(options, (message, view) => {
    if (options.json) printJson(message);
    else if (!server) process.stdout.write(`${message.topic} ${JSON.stringify(message.payload)}\n`);
    if (server) setGauges(server, view, options.site);
  });
  await over(options.seconds);
  await link.close();
  await server?.close();
}

function setGauges(server: MetricsServer, view: SiteView, site: string): void {
  for (const { name, online, health, missed } of view.robots.values())
    server.set('robot', { ...health, online, missed_reports: missed }, { site, robot: name });
  for (const { name, run, online, metrics } of view.learners.values())
    server.set('learner', { ...metrics, online }, { site, run, learner: name });
}

function table(view: SiteView): string[][] {
  const robots = [...view.robots.values()].sort((a, b) => a.name.localeCompare(b.name));
  const learners = [...view.learners.values()];
  const presence = (online: boolean) => (online ? 'online' : 'away');
  return [
    ['robot', '', 'task', 'mode', 'falls', 'safety', 'late p99.9', 'spool', 'lost', 'policy'],
    ...robots.map(({ name, online, description, health, policy }) => [
      name,
      presence(online),
      description?.task ?? '–',
      health?.latched ?? health?.mode ?? '–',
      figure(health?.falls, 0),
      figure(health?.safety_events, 0),
      figure(health?.late_p999_ms, 1, 'ms'),
      figure(health?.spool_transitions, 0),
      figure(health?.spool_lost, 0),
      policy ?? '–',
    ]),
    ['learner', '', 'run', 'robots', 'updates', '/s', 'transitions', 'lost', 'refused', 'published'],
    ...learners.map(({ name, run, online, metrics }) => [
      name,
      presence(online),
      run,
      figure(metrics?.robots, 0),
      figure(metrics?.updates, 0),
      figure(metrics?.updates_per_s, 0),
      figure(metrics?.transitions, 0),
      figure(metrics?.lost, 0),
      figure(metrics?.refused, 0),
      figure(metrics?.published, 0),
    ]),
  ];
}
