import type { Qos } from './qos.js';

/** How nodes reach each other. Everything travels as CDR bytes; names are those of ROS 2, in full. */
export interface Transport {
  readonly name: 'inproc' | 'cyclone' | 'rclnodejs';
  /** @param namespace absolute, `/` for the root @throws UserError where the name is not one */
  node(name: string, namespace: string): TransportNode;
  close(): Promise<void>;
}

export interface TransportNode {
  readonly name: string;
  readonly namespace: string;
  /** @param topic absolute; @param type `sensor_msgs/msg/JointState`, say */
  advertise(topic: string, type: string, qos: Qos): Publisher;
  subscribe(topic: string, type: string, qos: Qos, onMessage: (bytes: Uint8Array) => void): Subscription;
  /**
   * @param type `std_srvs/srv/Trigger`, say
   * @param answer from a request to its response; one that throws is reported and leaves the caller waiting
   */
  serve(
    service: string,
    type: string,
    answer: (request: Uint8Array) => Uint8Array | Promise<Uint8Array>,
  ): Closable;
  client(service: string, type: string): Client;
  close(): void;
}

export interface Closable {
  close(): void;
}

export interface Publisher extends Closable {
  /** Subscriptions that are known to get what is published. */
  readonly matched: number;
  /** Takes a copy; the caller may reuse the bytes at once. @throws Error where a reliable reader keeps it waiting too long */
  publish(bytes: Uint8Array): void;
}

export interface Subscription extends Closable {
  /** Publishers that it is joined with. */
  readonly matched: number;
}

export interface Client extends Closable {
  /** Whether somebody is there to answer. */
  readonly ready: boolean;
  /** @throws Error where nobody answers in time */
  call(request: Uint8Array, timeout_s?: number): Promise<Uint8Array>;
}
