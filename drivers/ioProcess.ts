import { execFile } from 'node:child_process';
import { UserError } from '../src/base/errors.js';
import type { Driver } from '../src/robot/driver.js';
import type { RobotSpec } from '../src/robot/spec.js';
import { DriveMode, JointCommand, RobotState } from '../src/robot/state.js';

/**
 * The process that a bus has to itself: the serial library polls on the main thread's event loop and
 * brings a process down that uses it in a worker thread, and a main thread that does nothing else keeps
 * the bus's time. It outlives the robot process: when that is gone, the driver brakes for want of
 * commands, and then switches torque off.
 */
export interface DriverOfProcess extends Driver {
  readonly watchdogTrips?: number;
}

export type Request =
  | {
      readonly kind: 'create';
      readonly module: string;
      readonly options: { readonly spec: RobotSpec };
      readonly fifo?: boolean;
    }
  | { readonly kind: 'configure' | 'activate' | 'deactivate' | 'close' };

/** To the process: a request, or a command. */
export type ToProcess = { readonly request: Request } | { readonly command: Float64Array };
/** From it: the answer to the request before, or a sample. */
export type FromProcess =
  | { readonly done: true }
  | { readonly failed: string; readonly user: boolean }
  | { readonly sample: Float64Array; readonly trips: number };

/** Under the system's first-in-first-out scheduler: after the control loop and its driver thread. */
const PRIORITY = 48;
/** Looks for a new sample this often: every event loop's turn would be too much for a small computer. */
const LOOK_MS = 1;
/** After the robot process is gone: longer than an arm takes to sink while it is braked. */
const BRAKES_MS = 3000;

if (process.send) serve();

/** Says it in one line where it is not permitted. */
function askForPriority(): void {
  execFile(
    'chrt',
    ['--fifo', '--all-tasks', '--pid', String(PRIORITY), String(process.pid)],
    (error, _, stderr) => {
      if (error)
        process.stderr.write(
          `no real-time scheduling of the buses: ${(stderr || error.message).trim().split('\n').at(-1)}\n`,
        );
    },
  );
}

function serve(): void {
  let driver: DriverOfProcess | undefined;
  let state: RobotState | undefined;
  let command: JointCommand | undefined;
  let looking: NodeJS.Timeout | undefined;
  const send = (message: FromProcess) => process.connected && process.send!(message);
  const look = () => {
    if (driver!.read(state!)) send({ sample: state!.flat, trips: driver!.watchdogTrips ?? 0 });
  };
  const serveRequest = async (request: Request) => {
    if (request.kind === 'create') {
      const { spec } = request.options;
      if (request.fifo) askForPriority();
      state = RobotState.for(spec);
      command = new JointCommand(spec.joints.length);
      const { createDriver } = (await import(request.module)) as {
        createDriver(options: unknown): Promise<DriverOfProcess>;
      };
      driver = await createDriver(request.options);
      return;
    }
    if (request.kind === 'deactivate' || request.kind === 'close') clearInterval(looking);
    await driver![request.kind]();
    if (request.kind === 'close') driver = undefined;
    if (request.kind === 'activate') looking = setInterval(look, LOOK_MS);
  };
  process.on('message', (message: ToProcess) => {
    if ('command' in message) {
      command!.flat.set(message.command);
      driver?.write(command!);
      return;
    }
    serveRequest(message.request).then(
      () => send({ done: true }),
      (error: Error) => {
        const user = error instanceof UserError;
        send({ failed: user ? error.message : (error.stack ?? error.message), user });
      },
    );
  });
  process.on('disconnect', () => {
    clearInterval(looking);
    // Whoever left in good order has closed the driver by now.
    if (!driver) process.exit(0);
    if (command) {
      command.mode = DriveMode.damp;
      driver.write(command);
    }
    const end = async () => {
      await driver!.deactivate();
      await driver!.close();
      process.exit(0);
    };
    setTimeout(end, looking ? BRAKES_MS : 0);
  });
  // Ctrl-C in a terminal reaches this process too: the robot process decides what it means.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
}
