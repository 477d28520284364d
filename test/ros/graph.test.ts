import { expect, it } from 'vitest';
import { decode } from '../../src/ros/codec.js';
import { BusTransport } from '../../src/ros/transport/busTransport.js';
import { InprocBus } from '../../src/ros/transport/inprocBus.js';
import { qosProfiles } from '../../src/ros/transport/qos.js';
import { until } from '../until.js';

interface Info {
  node_entities_info_seq: {
    node_namespace: string;
    node_name: string;
    reader_gid_seq: unknown[];
    writer_gid_seq: unknown[];
  }[];
}

it('the graph is told of nodes and their endpoints as they come and go', async () => {
  const bus = new InprocBus();
  const transport = new BusTransport(bus);
  let nodes: Info['node_entities_info_seq'] = [];
  const type = 'rmw_dds_common::msg::dds_::ParticipantEntitiesInfo_';
  bus.reader({ topic: 'ros_discovery_info', type, qos: qosProfiles.latched }, (bytes) => {
    nodes = (decode('rmw_dds_common/msg/ParticipantEntitiesInfo', bytes) as Info).node_entities_info_seq;
  });
  const node = transport.node('hardware', '/robot_1');
  node.advertise('/robot_1/joint_states', 'sensor_msgs/msg/JointState', qosProfiles.default);
  node.serve('/robot_1/reset', 'std_srvs/srv/Trigger', (request) => request);
  await until(() => nodes.length === 1);
  expect(nodes[0]).toMatchObject({ node_namespace: '/robot_1', node_name: 'hardware' });
  expect(nodes[0].writer_gid_seq).toHaveLength(2);
  expect(nodes[0].reader_gid_seq).toHaveLength(1);
  node.close();
  await until(() => nodes.length === 0);
  await transport.close();
});
