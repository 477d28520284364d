/** Between the type itself and each type that it refers to. */
const RULER = `${'='.repeat(80)}\nMSG: `;

const STATE = `${RULER}lifecycle_msgs/State\nuint8 id\nstring label\n`;
const TRANSITION = `${RULER}lifecycle_msgs/Transition\nuint8 id\nstring label\n`;
const GID_FIELDS = 'uint8[16] data\n';
const GID = `${RULER}rmw_dds_common/Gid\n${GID_FIELDS}`;
const NODE_FIELDS = `string<=256 node_namespace
string<=256 node_name
Gid[] reader_gid_seq
Gid[] writer_gid_seq
`;
const PARAMETER_VALUE = `${RULER}rcl_interfaces/ParameterValue
uint8 type
bool bool_value
int64 integer_value
float64 double_value
string string_value
byte[] byte_array_value
bool[] bool_array_value
int64[] integer_array_value
float64[] double_array_value
string[] string_array_value
`;
const PARAMETER = `${RULER}rcl_interfaces/Parameter\nstring name\nParameterValue value\n${PARAMETER_VALUE}`;
const RESULT = `${RULER}rcl_interfaces/SetParametersResult\nbool successful\nstring reason\n`;
const DESCRIPTOR = `${RULER}rcl_interfaces/ParameterDescriptor
string name
uint8 type
string description
string additional_constraints
bool read_only
bool dynamic_typing
FloatingPointRange[<=1] floating_point_range
IntegerRange[<=1] integer_range
${RULER}rcl_interfaces/FloatingPointRange
float64 from_value
float64 to_value
float64 step
${RULER}rcl_interfaces/IntegerRange
int64 from_value
int64 to_value
uint64 step
`;

/**
 * Interfaces of ROS 2 Jazzy that the package of common messages lacks: the halves of the services
 * that nodes offer, and what the DDS side of the graph says of itself. Field for field as in
 * `rcl_interfaces`, `lifecycle_msgs`, `std_srvs` and `rmw_dds_common`.
 */
export const extraDefinitions: ReadonlyMap<string, string> = new Map([
  ['std_srvs/srv/Empty_Request', ''],
  ['std_srvs/srv/Empty_Response', ''],
  ['std_srvs/srv/Trigger_Request', ''],
  ['std_srvs/srv/Trigger_Response', 'bool success\nstring message\n'],
  ['std_srvs/srv/SetBool_Request', 'bool data\n'],
  ['std_srvs/srv/SetBool_Response', 'bool success\nstring message\n'],

  ['lifecycle_msgs/srv/GetState_Request', ''],
  ['lifecycle_msgs/srv/GetState_Response', `lifecycle_msgs/State current_state\n${STATE}`],
  ['lifecycle_msgs/srv/ChangeState_Request', `lifecycle_msgs/Transition transition\n${TRANSITION}`],
  ['lifecycle_msgs/srv/ChangeState_Response', 'bool success\n'],
  ['lifecycle_msgs/srv/GetAvailableStates_Request', ''],
  ['lifecycle_msgs/srv/GetAvailableStates_Response', `lifecycle_msgs/State[] available_states\n${STATE}`],
  ['lifecycle_msgs/srv/GetAvailableTransitions_Request', ''],
  [
    'lifecycle_msgs/srv/GetAvailableTransitions_Response',
    `lifecycle_msgs/TransitionDescription[] available_transitions
${RULER}lifecycle_msgs/TransitionDescription
Transition transition
State start_state
State goal_state
${TRANSITION}${STATE}`,
  ],

  ['rcl_interfaces/srv/GetParameters_Request', 'string[] names\n'],
  ['rcl_interfaces/srv/GetParameters_Response', `rcl_interfaces/ParameterValue[] values\n${PARAMETER_VALUE}`],
  ['rcl_interfaces/srv/GetParameterTypes_Request', 'string[] names\n'],
  ['rcl_interfaces/srv/GetParameterTypes_Response', 'uint8[] types\n'],
  ['rcl_interfaces/srv/SetParameters_Request', `rcl_interfaces/Parameter[] parameters\n${PARAMETER}`],
  ['rcl_interfaces/srv/SetParameters_Response', `rcl_interfaces/SetParametersResult[] results\n${RESULT}`],
  [
    'rcl_interfaces/srv/SetParametersAtomically_Request',
    `rcl_interfaces/Parameter[] parameters\n${PARAMETER}`,
  ],
  [
    'rcl_interfaces/srv/SetParametersAtomically_Response',
    `rcl_interfaces/SetParametersResult result\n${RESULT}`,
  ],
  ['rcl_interfaces/srv/DescribeParameters_Request', 'string[] names\n'],
  [
    'rcl_interfaces/srv/DescribeParameters_Response',
    `rcl_interfaces/ParameterDescriptor[] descriptors\n${DESCRIPTOR}`,
  ],
  ['rcl_interfaces/srv/ListParameters_Request', 'string[] prefixes\nuint64 depth\n'],
  [
    'rcl_interfaces/srv/ListParameters_Response',
    `rcl_interfaces/ListParametersResult result\n${RULER}rcl_interfaces/ListParametersResult\nstring[] names\nstring[] prefixes\n`,
  ],

  [
    'rmw_dds_common/msg/ParticipantEntitiesInfo',
    `rmw_dds_common/Gid gid
rmw_dds_common/NodeEntitiesInfo[] node_entities_info_seq
${GID}${RULER}rmw_dds_common/NodeEntitiesInfo
${NODE_FIELDS}`,
  ],
  ['rmw_dds_common/msg/NodeEntitiesInfo', `${NODE_FIELDS}${GID}`],
  ['rmw_dds_common/msg/Gid', GID_FIELDS],
]);
