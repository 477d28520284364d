import type { Qos } from './qos.js';
import type { Closable } from './transport.js';

/** Topics as DDS has them: by DDS names and types, without nodes or services. `BusTransport` makes ROS 2 of it. */
export interface Bus {
  readonly name: 'inproc' | 'cyclone';
  writer(options: EndpointOptions): BusWriter;
  /** @param onData is never called from within `reader` or a `write` */
  reader(options: EndpointOptions, onData: (bytes: Uint8Array) => void): BusReader;
  /** Of the participant that all endpoints belong to: 16 bytes. */
  readonly gid: Uint8Array;
  close(): void;
}

export interface EndpointOptions {
  /** `rt/joint_states`, say. */
  readonly topic: string;
  /** `sensor_msgs::msg::dds_::JointState_`, say. */
  readonly type: string;
  readonly qos: Qos;
  /** Goes with the endpoint through discovery. */
  readonly userData?: string;
}

export interface BusEndpoint extends Closable {
  /** 16 bytes. */
  readonly gid: Uint8Array;
  /** Endpoints of the other kind that it is joined with. */
  readonly matched: number;
}

export interface BusWriter extends BusEndpoint {
  write(bytes: Uint8Array): void;
}

export type BusReader = BusEndpoint;
