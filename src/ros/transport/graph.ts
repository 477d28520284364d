import { encode } from '../codec.js';
import { typeHashData } from '../typeHash.js';
import type { Bus, BusWriter } from './bus.js';

export interface NodeEndpoints {
  readonly name: string;
  readonly namespace: string;
  /** Gids, 16 bytes each. */
  readonly readers: Set<Uint8Array>;
  readonly writers: Set<Uint8Array>;
}

/**
 * Tells ROS 2's graph which nodes this participant has and which endpoints are whose, so that
 * `ros2 node list` and `ros2 node info` show them.
 */
export class Graph {
  private readonly writer: BusWriter;
  private readonly nodes = new Set<NodeEndpoints>();
  private due = false;
  private closed = false;

  constructor(private readonly bus: Bus) {
    this.writer = bus.writer({
      topic: 'ros_discovery_info',
      type: 'rmw_dds_common::msg::dds_::ParticipantEntitiesInfo_',
      qos: { reliability: 'reliable', durability: 'transient_local', depth: 1 },
      userData: typeHashData('rmw_dds_common/msg/ParticipantEntitiesInfo'),
    });
  }

  add(node: NodeEndpoints): void {
    this.nodes.add(node);
    this.announce();
  }

  remove(node: NodeEndpoints): void {
    this.nodes.delete(node);
    this.announce();
  }

  /** Once for all that changes in one go. */
  announce(): void {
    if (this.due) return;
    this.due = true;
    queueMicrotask(() => {
      this.due = false;
      if (!this.closed) this.writer.write(this.message());
    });
  }

  close(): void {
    this.closed = true;
    this.writer.close();
  }

  private message(): Uint8Array {
    const gids = (from: Set<Uint8Array>) => [...from].map((data) => ({ data }));
    return encode('rmw_dds_common/msg/ParticipantEntitiesInfo', {
      gid: { data: this.bus.gid },
      node_entities_info_seq: [...this.nodes].map(({ name, namespace, readers, writers }) => ({
        node_namespace: namespace,
        node_name: name,
        reader_gid_seq: gids(readers),
        writer_gid_seq: gids(writers),
      })),
    });
  }
}
