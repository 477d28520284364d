import { z } from 'zod';

/** Sides, in pixels, that a world model can take: halved again and again they come to 4. */
export const cameraSides = [8, 16, 32, 64] as const;
const side = z.literal(cameraSides);
const vector3 = z.tuple([z.number(), z.number(), z.number()]);

/** What `robot.yaml` says of a small camera on the robot, whose picture policies see. */
export const cameraSchema = z
  .strictObject({
    kind: z.enum(['depth', 'gray']).describe('how near each pixel is, or how bright'),
    width: side,
    height: side,
    fov_rad: z.number().positive().max(2.8).describe('vertical angle of view'),
    rate_hz: z.number().positive().optional().describe('divides control_hz; policy_hz where left out'),
    link: z
      .string()
      .min(1)
      .optional()
      .describe('body of the model that it is mounted on, and that it does not see; the base where left out'),
    position_m: vector3.describe('in the frame of that body'),
    rpy_rad: vector3
      .default([0, 0, 0])
      .describe(
        'roll, pitch and yaw in that frame, about its x, y and z in this order: at zero it looks along x with z up, with a pitch of π/2 straight down',
      ),
    range_m: z
      .tuple([z.number().nonnegative(), z.number()])
      .refine(([near, far]) => near < far, 'expected [near, far] with near < far')
      .optional()
      .describe('of a depth camera, along its axis: 1 at near and before, 0 at far and beyond'),
  })
  .refine((camera) => (camera.kind === 'depth') === (camera.range_m !== undefined), {
    path: ['range_m'],
    message: 'expected with kind depth, and with it alone',
  });

export type CameraSpec = z.output<typeof cameraSchema>;
