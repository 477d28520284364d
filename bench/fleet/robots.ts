/**
 * Robots without bodies: they make transitions at the rate of a policy and send them by the very
 * spool and sender that a real robot has. robots.js ORDER, a RobotsOrder as JSON. They end when they
 * were told to stop and a learner has stored everything, and at once when whoever started them is gone.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ExperienceSender } from '../../src/fleet/experienceSender.js';
import { Link } from '../../src/fleet/link.js';
import { Spool } from '../../src/fleet/spool.js';
import { robotTopics } from '../../src/fleet/topics.js';
import { ledgerOf, type RobotsOrder, robotName } from './order.js';
import { Ledger, transitionOf } from './transitions.js';

const LOOK_MS = 50;

class LightRobot {
  readonly spool: Spool;
  private readonly name: string;
  private readonly ledger: Ledger;
  private readonly began_ms = performance.now();
  private readonly timer: NodeJS.Timeout;
  private made = 0;

  constructor(
    private readonly order: RobotsOrder,
    private readonly robot: number,
  ) {
    this.name = robotName(robot);
    const folder = join(order.folder, this.name);
    mkdirSync(folder, { recursive: true });
    this.spool = Spool.open(join(folder, 'spool'), order.sizes, { onNotice: this.say });
    this.ledger = new Ledger(ledgerOf(order.folder, robot));
    this.timer = setInterval(() => this.makeWhatIsDue(), 1e3 / order.hz);
  }

  private readonly say = (line: string) => {
    process.stderr.write(`${this.name}: ${line}\n`);
  };

  private makeWhatIsDue(): void {
    const due = Math.floor(((performance.now() - this.began_ms) / 1e3) * this.order.hz);
    for (; this.made < due; this.made++) {
      const { life } = this.spool;
      this.spool.add(transitionOf({ robot: this.robot, life, n: this.made }, this.order.sizes));
      this.ledger.note(life, this.made);
    }
  }

  async connect(): Promise<void> {
    const { url, site, run } = this.order;
    const { presence } = robotTopics(site, this.name);
    const link = await Link.connect({ url }, { presence, patient: true, onNotice: this.say });
    await ExperienceSender.create(link, this.spool, { site, run, robot: this.name, onNotice: this.say });
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

const order = JSON.parse(process.argv[2]) as RobotsOrder;
const robots = order.robots.map((robot) => new LightRobot(order, robot));
process.stdin.once('data', () => {
  for (const robot of robots) robot.stop();
  setInterval(() => {
    if (robots.some(({ spool }) => spool.pending > 0)) return;
    for (const { spool } of robots) spool.close();
    process.exit();
  }, LOOK_MS);
});
process.stdin.once('end', () => process.exit(1));
await Promise.all(robots.map((robot) => robot.connect()));
