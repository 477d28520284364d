import { UserError } from '../../base/errors.js';
import { BusTransport } from './busTransport.js';
import { CycloneBus } from './cycloneBus.js';
import { InprocBus } from './inprocBus.js';
import { RclTransport } from './rclTransport.js';
import type { Transport } from './transport.js';

export const transportNames = ['inproc', 'cyclone', 'rclnodejs'] as const;
export type TransportName = (typeof transportNames)[number];

export interface OpenOptions {
  /** `ROS_DOMAIN_ID` where not given. */
  readonly domain?: number;
  /** Network interface for `cyclone`; `lo` keeps it on this machine. For `rclnodejs` any other leaves that to ROS 2. */
  readonly interface?: string;
  readonly onNotice?: (line: string) => void;
}

/** Highest that leaves DDS's ports below those that the system gives out. */
const MAX_DOMAIN = 101;

/** @throws UserError where the transport is not there, saying what would bring it */
export async function openTransport(name: TransportName, options: OpenOptions = {}): Promise<Transport> {
  const { interface: network = 'lo', onNotice = () => {} } = options;
  if (name === 'inproc') return new BusTransport(new InprocBus(onNotice), onNotice);
  const domain = options.domain ?? domainOf(process.env.ROS_DOMAIN_ID);
  if (name === 'rclnodejs') return RclTransport.open({ domain, localOnly: network === 'lo', onNotice });
  return new BusTransport(new CycloneBus({ domain, interface: network, onNotice }), onNotice);
}

function domainOf(text: string | undefined): number {
  const domain = Number(text || 0);
  if (!Number.isInteger(domain) || domain < 0 || domain > MAX_DOMAIN)
    throw new UserError(`ROS_DOMAIN_ID is "${text}": expected a whole number from 0 to ${MAX_DOMAIN}`);
  return domain;
}
