import type { JointDrive } from '../../src/robot/busSpec.js';
import type { Schedule } from '../schedule.js';
import type { Drive, Order } from './drive.js';

/**
 * What a family of drives does in its own bytes; the life of a bus, with its watchdogs and what
 * happens after silence, is `BusDriver`'s. Nothing here may throw once `setUp` has been through.
 */
export interface Family<Entry extends JointDrive = JointDrive> {
  /** What a cycle puts on the wire. */
  readonly schedule: Schedule;
  /** V; 0 where no drive says. */
  readonly supply_v: number;
  /** Longest that answers may take in a cycle; undefined while nobody is in a hurry. */
  hurry(inHurry: boolean): void;
  /** @throws UserError naming the port and what to try */
  open(): Promise<void>;
  reopen(): Promise<boolean>;
  close(): Promise<void>;
  /** Whether the drive is there and as `robot.yaml` says. @throws UserError naming port, id, register and what to try */
  check(drive: Drive<Entry>): Promise<void>;
  /**
   * Writes limits and watchdog, then torque on, holding where it is: `drive.position_rad` says where.
   * @throws UserError naming the register that is refused
   */
  setUp(drive: Drive<Entry>): Promise<void>;
  /** Torque on, holding where it is, with the settings that it has. @returns whether it confirms */
  hold(drive: Drive<Entry>): Promise<boolean>;
  /** Torque off. @returns whether it confirms; asked three times */
  release(drive: Drive<Entry>): Promise<boolean>;
  /**
   * One cycle: orders out where there are any, samples of all into `drives`.
   * @param orders empty while there is no torque, else one for each drive
   * @returns those that answered
   */
  cycle(orders: readonly Order<Entry>[], drives: readonly Drive<Entry>[]): Promise<ReadonlySet<Drive<Entry>>>;
  /** Of drives that were silent and have answered: whether each has torque. Who does not answer is left out. */
  haveTorque(drives: readonly Drive<Entry>[]): Promise<ReadonlyMap<Drive<Entry>, boolean>>;
}

/** A drive as messages name it. */
export function describe(port: string, { id, joint }: Pick<Drive, 'id' | 'joint'>): string {
  return `${port}, id ${id} (${joint.name})`;
}
