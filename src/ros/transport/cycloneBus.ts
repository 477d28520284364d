import type { Bus, BusReader, BusWriter, EndpointOptions } from './bus.js';
import { type CycloneAddon, loadAddon } from './cycloneAddon.js';
import { theyDoNotMeet } from './names.js';

export interface CycloneOptions {
  /** `ROS_DOMAIN_ID`. */
  readonly domain: number;
  /**
   * Network interface to talk on. DDS knows no credentials, so it stays on this machine unless another
   * one is named; `CYCLONEDDS_URI`, where the user set it, decides instead.
   */
  readonly interface: string;
  readonly onNotice?: (line: string) => void;
}

/** How often it is looked who publishes under another type on a topic that is subscribed. */
const LOOK_MS = 2000;

/** The configurations of this process's domains: Cyclone takes one for each, before its first participant. */
const domains = new Map<number, { entity: number | undefined; users: number; interface: string }>();

/** DDS through Eclipse Cyclone: reaches ROS 2 graphs from a machine without ROS. */
export class CycloneBus implements Bus {
  readonly name = 'cyclone';
  readonly gid: Uint8Array;
  private readonly addon: CycloneAddon;
  private readonly participant: number;
  private readonly subscribed = new Set<EndpointOptions>();
  private readonly told = new Set<string>();
  private readonly looking: NodeJS.Timeout;

  /** @throws UserError where the addon is not built or loadable; Error where Cyclone refuses the configuration */
  constructor(private readonly options: CycloneOptions) {
    this.addon = loadAddon();
    enterDomain(this.addon, options);
    this.participant = this.addon.createParticipant(options.domain, 'enclave=/;');
    this.gid = this.addon.gid(this.participant);
    this.looking = setInterval(() => this.lookForOtherTypes(), LOOK_MS);
    this.looking.unref();
  }

  writer(options: EndpointOptions): BusWriter {
    const { addon } = this;
    const writer = addon.createWriter(...this.arguments(options));
    let open = true;
    return {
      gid: addon.gid(writer.entity),
      get matched() {
        return open ? addon.matched(writer.entity, true) : 0;
      },
      write: (bytes) => {
        if (open) addon.write(writer, bytes);
      },
      close: () => {
        if (open) addon.close(writer.entity);
        open = false;
      },
    };
  }

  reader(options: EndpointOptions, onData: (bytes: Uint8Array) => void): BusReader {
    const { addon } = this;
    let open = true;
    const reader = addon.createReader(...this.arguments(options), (bytes) => {
      if (open) onData(bytes);
    });
    this.subscribed.add(options);
    return {
      gid: addon.gid(reader.entity),
      get matched() {
        return open ? addon.matched(reader.entity, false) : 0;
      },
      close: () => {
        if (!open) return;
        open = false;
        this.subscribed.delete(options);
        addon.closeReader(reader.handle);
      },
    };
  }

  /** Its writers and readers have to be closed before. */
  close(): void {
    clearInterval(this.looking);
    this.addon.close(this.participant);
    leaveDomain(this.addon, this.options.domain);
  }

  private arguments({
    topic,
    type,
    qos,
    userData = '',
  }: EndpointOptions): [number, string, string, boolean, boolean, number, string] {
    const depth = qos.depth === 'all' ? 0 : qos.depth;
    const reliable = qos.reliability === 'reliable';
    return [this.participant, topic, type, reliable, qos.durability === 'transient_local', depth, userData];
  }

  /** DDS joins endpoints of one type alone and is silent about the rest: say it, once for each. */
  private lookForOtherTypes(): void {
    for (const { topic, type } of this.subscribed)
      for (const other of this.addon.otherTypes(this.participant, topic, type)) {
        const line = theyDoNotMeet(topic, other, type);
        if (!this.told.has(line)) this.options.onNotice?.(line);
        this.told.add(line);
      }
  }
}

function enterDomain(addon: CycloneAddon, { domain, interface: name }: CycloneOptions): void {
  const known = domains.get(domain);
  if (known && known.interface !== name)
    throw new Error(`domain ${domain} is in use on ${known.interface} in this process, not on ${name}`);
  if (known) known.users++;
  else {
    const entity = process.env.CYCLONEDDS_URI ? undefined : addon.createDomain(domain, configuration(name));
    domains.set(domain, { entity, users: 1, interface: name });
  }
}

function leaveDomain(addon: CycloneAddon, domain: number): void {
  const known = domains.get(domain)!;
  if (--known.users > 0) return;
  domains.delete(domain);
  if (known.entity !== undefined) addon.close(known.entity);
}

/** Loopback has no multicast on most machines: participants there are found one by one. */
function configuration(name: string): string {
  const network = `<Interfaces><NetworkInterface name="${name}"/></Interfaces>`;
  if (name !== 'lo') return `<General>${network}</General>`;
  return `<General>${network}<AllowMulticast>false</AllowMulticast></General>
<Discovery><ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>32</MaxAutoParticipantIndex>
<Peers><Peer address="127.0.0.1"/></Peers></Discovery>`;
}
