import { Random } from '../base/random.js';
import type { Launch } from '../launch/launch.js';
import type { RosArguments } from '../ros/rosArguments.js';

/** What the command line says of a run in place of its launch file; what is left out stays as the file has it. */
export interface LaunchOptions {
  /** In the fleet, and the site. */
  readonly name?: string;
  readonly site?: string;
  /** How the ROS 2 nodes are reached. */
  readonly ros?: Launch['ros']['transport'];
  /** What ROS 2 says of names and parameters. */
  readonly rosArguments?: RosArguments;
  /** False for none. */
  readonly dashboard?: boolean;
  readonly dashboardPort?: number;
}

const NO_ROS_ARGUMENTS: RosArguments = { remap: {}, parameters: [] };

/** The command line's word goes before the launch file's. */
export function withOptions(
  launch: Launch,
  { dashboard, dashboardPort, name, site, ros, rosArguments }: LaunchOptions,
): Launch {
  const enabled = launch.dashboard.enabled && dashboard !== false;
  const port = dashboardPort ?? launch.dashboard.port;
  const names = { ...(name && { name }), ...(site && { site }) };
  return {
    ...launch,
    ...names,
    ...(name && ownSeeds(launch, name)),
    dashboard: { ...launch.dashboard, enabled, port },
    ros: rosOf(launch.ros, ros, rosArguments),
  };
}

function rosOf(
  ros: Launch['ros'],
  transport = ros.transport,
  { namespace = ros.namespace, remap, useSimTime = ros.use_sim_time }: RosArguments = NO_ROS_ARGUMENTS,
): Launch['ros'] {
  return { ...ros, transport, namespace, remap: { ...ros.remap, ...remap }, use_sim_time: useSimTime };
}

/** Robots that share a launch file draw goals, exploration and noise of their own. */
function ownSeeds({ seed, driver }: Launch, name: string): Pick<Launch, 'seed' | 'driver'> {
  const own = (seed: number, of: string) => Random.stream(seed, of, name).uint32();
  return {
    seed: own(seed, 'robot'),
    driver: driver.kind === 'sim' ? { ...driver, seed: own(driver.seed, 'driver') } : driver,
  };
}
