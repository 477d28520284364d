import { describe, expect, it } from 'vitest';
import { typeHash } from '../../src/ros/typeHash.js';

describe('type hashes', () => {
  /** As ROS 2 Jazzy has them. */
  const known = {
    'std_msgs/msg/String': 'df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18',
    'rosgraph_msgs/msg/Clock': '692f7a66e93a3c83e71765d033b60349ba68023a8c689a79e48078bcb5c58564',
    'sensor_msgs/msg/Range': 'b42b62562e93cbfe9d42b82fe5994dfa3d63d7d5c90a317981703f7388adff3a',
    'geometry_msgs/msg/Twist': '9c45bf16fe0983d80e3cfe750d6835843d265a9a6c46bd2e609fcddde6fb8d2a',
    'sensor_msgs/msg/JointState': 'a13ee3a330e346c9d87b5aa18d24e11690752bd33a0350f11c5882bc9179260e',
    'diagnostic_msgs/msg/DiagnosticArray': '5a8a36efb05fb25070fa0fb3810290c0e6cd4862b54a8fb975a1ee8dc55a333e',
    'rcl_interfaces/msg/ParameterEvent': '043e627780fcad87a22d225bc2a037361dba713fca6a6b9f4b869a5aa0393204',
    'rcl_interfaces/srv/SetParameters_Request':
      '130d46386b7e84ea9ecf60608a4d83cbe5e5cb7c6cc5b712b7a4e3a6c254e932',
    'std_srvs/srv/Trigger_Request': 'd010825374ce8918e72bfd826c82603e60f45419e932ea976f807b74a863a199',
    'rmw_dds_common/msg/ParticipantEntitiesInfo':
      '91a0593bacdcc50ea9bdcf849a938b128412cc1ea821245c663bcd26f83c295e',
  };
  it.each(Object.entries(known))('%s', (type, hash) => expect(typeHash(type)).toBe(`RIHS01_${hash}`));
});
