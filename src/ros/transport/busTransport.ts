import { typeHashData } from '../typeHash.js';
import type { Bus, EndpointOptions } from './bus.js';
import { Graph, type NodeEndpoints } from './graph.js';
import { checkAbsolute, checkNodeName, ddsTopic, ddsType } from './names.js';
import type { Qos } from './qos.js';
import { clientOn, type Endpoints, serveOn } from './services.js';
import type { Client, Closable, Publisher, Subscription, Transport, TransportNode } from './transport.js';

/** ROS 2 nodes on a bus of topics: names, types with their hashes, services, and what the graph is told. */
export class BusTransport implements Transport {
  readonly name: Transport['name'];
  private readonly graph: Graph;

  /** @param onNotice one line for people, about something that went wrong */
  constructor(
    private readonly bus: Bus,
    private readonly onNotice: (line: string) => void = () => {},
  ) {
    this.name = bus.name;
    this.graph = new Graph(bus);
  }

  node(name: string, namespace: string): TransportNode {
    checkNodeName(name);
    checkAbsolute(namespace, 'namespace');
    return new BusNode(this.bus, this.graph, name, namespace, this.onNotice);
  }

  async close(): Promise<void> {
    this.graph.close();
    this.bus.close();
  }
}

class BusNode implements TransportNode {
  private readonly endpoints: NodeEndpoints;
  private readonly open = new Set<Closable>();

  constructor(
    private readonly bus: Bus,
    private readonly graph: Graph,
    readonly name: string,
    readonly namespace: string,
    private readonly onNotice: (line: string) => void,
  ) {
    this.endpoints = { name, namespace, readers: new Set(), writers: new Set() };
    graph.add(this.endpoints);
  }

  advertise(topic: string, type: string, qos: Qos): Publisher {
    const writer = this.bus.writer(endpoint(topic, type, qos));
    const held = this.hold({ readers: [], writers: [writer.gid], close: () => writer.close() });
    return {
      get matched() {
        return writer.matched;
      },
      publish: (bytes) => writer.write(bytes),
      close: held.close,
    };
  }

  subscribe(topic: string, type: string, qos: Qos, onMessage: (bytes: Uint8Array) => void): Subscription {
    const reader = this.bus.reader(endpoint(topic, type, qos), onMessage);
    const held = this.hold({ readers: [reader.gid], writers: [], close: () => reader.close() });
    return {
      get matched() {
        return reader.matched;
      },
      close: held.close,
    };
  }

  serve(
    service: string,
    type: string,
    answer: (request: Uint8Array) => Uint8Array | Promise<Uint8Array>,
  ): Closable {
    checkAbsolute(service, 'service');
    const onError = (error: Error) => this.onNotice(`${service}: ${error.message}`);
    return this.hold(serveOn(this.bus, service, type, answer, onError));
  }

  client(service: string, type: string): Client {
    const client = clientOn(this.bus, checkAbsolute(service, 'service'), type);
    const held = this.hold(client);
    return {
      get ready() {
        return client.ready;
      },
      call: client.call,
      close: held.close,
    };
  }

  close(): void {
    for (const each of [...this.open]) each.close();
    this.graph.remove(this.endpoints);
  }

  /** Tells the graph of endpoints until they are closed. */
  private hold({ readers, writers, close }: Endpoints): Closable {
    for (const gid of readers) this.endpoints.readers.add(gid);
    for (const gid of writers) this.endpoints.writers.add(gid);
    this.graph.announce();
    const held: Closable = {
      close: () => {
        if (!this.open.delete(held)) return;
        for (const gid of readers) this.endpoints.readers.delete(gid);
        for (const gid of writers) this.endpoints.writers.delete(gid);
        this.graph.announce();
        close();
      },
    };
    this.open.add(held);
    return held;
  }
}

function endpoint(topic: string, type: string, qos: Qos): EndpointOptions {
  return {
    topic: ddsTopic(checkAbsolute(topic, 'topic')),
    type: ddsType(type),
    qos,
    userData: typeHashData(type),
  };
}
