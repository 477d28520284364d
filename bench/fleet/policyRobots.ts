/**
 * Robots without bodies that take policies as a robot's process does: verified, admitted, kept on
 * disk, its network loaded. policyRobots.js ORDER, a PolicyRobotsOrder as JSON.
 */
import { join } from 'node:path';
import { Link } from '../../src/fleet/link.js';
import { PolicyReceiver } from '../../src/fleet/policyReceiver.js';
import { admit } from '../../src/policy/admission.js';
import { loadPolicy } from '../../src/policy/inference.js';
import { readTrustedKey } from '../../src/policy/signature.js';
import { loadRobot } from '../../src/robot/load.js';
import { createTask } from '../../src/tasks/index.js';
import { type PolicyRobotsOrder, READY } from './order.js';

const order = JSON.parse(process.argv[2]) as PolicyRobotsOrder;
const { url, site, run, folder } = order;
const { spec } = loadRobot(order.robot);
const { contract } = createTask(order.task, spec);
const trusted = [readTrustedKey(order.trust)];

process.stdin.once('end', () => process.exit(1)).resume();
for (const robot of order.names) {
  const onNotice = (line: string) => process.stderr.write(`${robot}: ${line}\n`);
  const link = await Link.connect({ url }, { onNotice });
  await PolicyReceiver.create(link, {
    site,
    run,
    robot,
    policy_hz: spec.rates.policy_hz,
    trusted,
    folder: join(folder, robot),
    take: async (policy) => {
      const admission = admit(policy.manifest, { spec, contract });
      if (!admission.admitted) return admission.reasons;
      loadPolicy({ ...policy, path: 'from the learner' });
      return [];
    },
    onNotice,
  });
}
process.stderr.write(`${READY}\n`);
