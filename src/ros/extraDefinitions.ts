/**
 * Interfaces of ROS 2 Jazzy that the package of common messages lacks: the halves of the services
 * that nodes offer, and what the DDS side of the graph says of itself. Field for field as in
 * `rcl_interfaces`, `lifecycle_msgs`, `std_srvs` and `rmw_dds_common`.
 */
export const extraDefinitions: ReadonlyMap<string, string> = new Map([
  ['std_srvs/srv/Trigger_Request', ''],
  ['std_srvs/srv/Trigger_Response', 'bool success\nstring message\n'],
  ['std_srvs/srv/SetBool_Request', 'bool data\n'],
  ['std_srvs/srv/SetBool_Response', 'bool success\nstring message\n'],
]);
