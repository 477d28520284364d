import type { JointCommand, RobotState } from './state.js';

/**
 * Hardware, or what stands in for it. The life of a driver: `configure` (open ports, check that
 * every joint answers), `activate` (torque on, holding still), then `read` and `write` at the bus's
 * own pace, then `deactivate` (torque off) and `close`. Only the safety kernel's command is ever
 * handed to `write`.
 */
export interface Driver {
  readonly name: string;
  /** @throws UserError naming port, id and what to try when the hardware is not as described */
  configure(): Promise<void>;
  activate(): Promise<void>;
  /** Copies the newest sample. Never waits. @returns false when there is none newer than the last read */
  read(into: RobotState): boolean;
  /** Hands a command to the drives. Never waits. */
  write(command: JointCommand): void;
  deactivate(): Promise<void>;
  close(): Promise<void>;
}
