/** The broker that Reverie brings along, as a process that can be killed: embeddedBroker.js PORT */
import { startBroker } from '../../src/fleet/broker.js';

await startBroker(Number(process.argv[2]));
