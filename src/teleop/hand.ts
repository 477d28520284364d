import { z } from 'zod';

/** One axis of a stick: a share of the full speed. */
const axis = z.number().min(-1).max(1);

/**
 * A hand on the controls at one moment, whatever it holds: shares of the full speed, in the robot's
 * base frame. That there is one says that the deadman switch is held.
 */
export const handSchema = z.strictObject({
  linear: z.tuple([axis, axis, axis]).describe('of the tool: forward, left, up'),
  pitch: axis,
  roll: axis,
  gripper: axis.describe('1 opens'),
});
export type Hand = z.output<typeof handSchema>;

/** A hand that holds the switch and moves nothing. */
export const stillHand: Hand = { linear: [0, 0, 0], pitch: 0, roll: 0, gripper: 0 };
