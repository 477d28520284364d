/** Quality of service, as far as ROS 2 nodes agree on it. */
export interface Qos {
  readonly reliability: 'reliable' | 'best_effort';
  /** Transient local: who joins late gets what was said before, as deep as the writer keeps it. */
  readonly durability: 'volatile' | 'transient_local';
  /** Messages that are kept for a reader that lags; `all` makes a writer wait instead of dropping. */
  readonly depth: number | 'all';
}

const reliable = (depth: number): Qos => ({ reliability: 'reliable', durability: 'volatile', depth });

/** Profiles by what a topic carries; the names are those of ROS 2 where it has one. */
export const qosProfiles = {
  sensorData: { reliability: 'best_effort', durability: 'volatile', depth: 5 },
  clock: { reliability: 'best_effort', durability: 'volatile', depth: 1 },
  default: reliable(10),
  services: reliable(10),
  parameterEvents: reliable(1000),
  tf: reliable(100),
  /** Commands: the newest counts; a watchdog sees to their age. */
  command: reliable(1),
  /** What is said once and holds: descriptions, states. */
  latched: { reliability: 'reliable', durability: 'transient_local', depth: 1 },
} as const satisfies Record<string, Qos>;

/** Whether a reader may get what a writer offers: nobody gets less than they asked for. */
export function compatible(offered: Qos, requested: Qos): boolean {
  return (
    !(offered.reliability === 'best_effort' && requested.reliability === 'reliable') &&
    !(offered.durability === 'volatile' && requested.durability === 'transient_local')
  );
}
