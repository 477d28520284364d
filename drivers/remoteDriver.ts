import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '../src/base/errors.js';
import type { Driver } from '../src/robot/driver.js';
import type { RobotSpec } from '../src/robot/spec.js';
import type { JointCommand, RobotState } from '../src/robot/state.js';
import type { FromProcess, Request, ToProcess } from './ioProcess.js';

export interface RemoteOptions {
  /** URL of a module that exports `createDriver`. */
  readonly module: string;
  readonly options: { readonly spec: RobotSpec };
  /** Ask for the system's real-time scheduler. */
  readonly fifo?: boolean;
}

/** For the driver worker: a driver in a process of its own. */
export async function createDriver(options: RemoteOptions): Promise<RemoteDriver> {
  const driver = new RemoteDriver();
  await driver.create(options);
  return driver;
}

/** The near end of a driver that runs in `ioProcess.ts`. Should that die, samples stop and the kernel sees it. */
export class RemoteDriver implements Driver {
  readonly name = 'serial';
  watchdogTrips = 0;
  private readonly child: ChildProcess;
  private sample: Float64Array | undefined;
  private waiting: { resolve(): void; reject(error: Error): void } | undefined;

  constructor() {
    const file = fileURLToPath(new URL('./ioProcess.js', import.meta.url));
    this.child = fork(file, [], { serialization: 'advanced', execArgv: [] });
    this.child.on('message', (message: FromProcess) => this.take(message));
    this.child.on('error', (error) => this.settle(error));
    this.child.on('exit', (code) => this.settle(new Error(`the process of the bus ended with ${code}`)));
  }

  create({ module, options, fifo }: RemoteOptions): Promise<void> {
    return this.ask({ kind: 'create', module, options, fifo });
  }

  configure(): Promise<void> {
    return this.ask({ kind: 'configure' });
  }

  activate(): Promise<void> {
    return this.ask({ kind: 'activate' });
  }

  read(into: RobotState): boolean {
    if (!this.sample) return false;
    into.flat.set(this.sample);
    this.sample = undefined;
    return true;
  }

  write(command: JointCommand): void {
    this.post({ command: command.flat });
  }

  async deactivate(): Promise<void> {
    if (this.child.connected) await this.ask({ kind: 'deactivate' });
  }

  async close(): Promise<void> {
    if (!this.child.connected) return;
    await this.ask({ kind: 'close' });
    this.child.disconnect();
  }

  private ask(request: Request): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      if (!this.post({ request })) this.settle(new Error('the process of the bus is gone'));
    });
  }

  private post(message: ToProcess): boolean {
    return this.child.connected && this.child.send(message) !== undefined;
  }

  private take(message: FromProcess): void {
    if ('sample' in message) {
      this.sample = message.sample;
      this.watchdogTrips = message.trips;
    } else if ('done' in message) this.settle();
    else this.settle(message.user ? new UserError(message.failed) : new Error(message.failed));
  }

  private settle(error?: Error): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (error) waiting?.reject(error);
    else waiting?.resolve();
  }
}
