/**
 * Messages of Reverie's own, for what ROS 2 has no type for: policy steps, the state of the safety
 * kernel, and where episodes begin and end.
 */
export const reverieDefinitions: ReadonlyMap<string, string> = new Map([
  [
    'reverie_msgs/msg/PolicyStep',
    `# One step of a policy, or of the person in its place, at its end
builtin_interfaces/Time stamp
uint32 episode
uint32 step
float32 reward
# 1 the task ended, 2 the episode was long enough, 4 cut by a stop
uint8 flags
string authority
uint32 policy
# What there was to see at the beginning of the step and at its end
float32[] observation
float32[] next_observation
# Actions in [-1, 1]: what was asked for, and what the safety kernel made of it
float32[] asked
float32[] executed
`,
  ],
  [
    'reverie_msgs/msg/SafetyStatus',
    `builtin_interfaces/Time stamp
string mode
string authority
# Empty where nothing is latched
string latched
uint32 events
`,
  ],
  [
    'reverie_msgs/msg/SafetyEvent',
    `builtin_interfaces/Time stamp
string cause
# Empty where no joint is meant
string joint
float64 value
float64 limit
`,
  ],
  [
    'reverie_msgs/msg/EpisodeMark',
    `builtin_interfaces/Time stamp
uint32 episode
# begin, end, label (of an episode that has ended), pause, resume
string kind
string task
# success, failure, discard, or empty
string outcome
string operator
string notes
# Spans in which a person commanded, of an episode that ends here; robot time in seconds since 1970
float64[] intervention_begin
float64[] intervention_end
`,
  ],
]);
