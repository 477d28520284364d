import { added } from './model.js';
import type { Mujoco } from './mujoco.js';
import type { Simulation } from './simulation.js';

/** What decides where the rays of a pinhole camera go. */
export interface Lens {
  readonly width: number;
  readonly height: number;
  /** Vertical angle of view. */
  readonly fov_rad: number;
}

const SKY = [150, 180, 205] as const;
/** Side of the squares on the floor. */
const TILE_M = 0.1;
const AMBIENT = 0.35;
/** Groups of geoms that cameras see: what a viewer of MuJoCo shows. */
const SEEN_GROUPS = [1, 1, 1, 0, 0, 0];
const FARTHEST_M = 1e10;

/** Casts one ray a pixel into a simulated world. Pixels are numbered row by row from the top. */
export class RayCaster {
  readonly pixels: number;
  /** Of each ray in the camera's own frame, the share along its axis: a distance times it is a depth. */
  readonly alongAxis: Float64Array;
  /** Of the newest cast: what each ray hit, −1 for nothing, how far away, and the surface's normal. */
  geom: Int32Array = new Int32Array();
  distance_m: Float64Array = new Float64Array();
  private normal: Float64Array = new Float64Array();
  /** Unit vectors in the camera's frame (forward, left, up), and in the world. */
  private readonly own: Float64Array;
  private readonly rays: Float64Array;
  private readonly from_m = new Float64Array(3);
  private readonly buffers;
  private readonly floor: number;

  /** @param excluded body that is looked through; −1 for none */
  constructor(
    private readonly mj: Mujoco,
    private readonly simulation: Simulation,
    lens: Lens,
    private readonly excluded = -1,
  ) {
    this.pixels = lens.width * lens.height;
    this.own = raysOf(lens);
    this.rays = new Float64Array(3 * this.pixels);
    this.alongAxis = Float64Array.from({ length: this.pixels }, (_, p) => this.own[3 * p]);
    this.floor = simulation.id('geom', added.floor);
    this.buffers = {
      geom: new mj.IntBuffer(this.pixels),
      distance: new mj.DoubleBuffer(this.pixels),
      normal: new mj.DoubleBuffer(3 * this.pixels),
    };
  }

  /**
   * Looks at the world as the simulation's data has it now.
   * @param axes world directions of forward, left and up, one column each: a row-major 3×3 matrix
   */
  cast(from_m: ArrayLike<number>, axes: ArrayLike<number>): void {
    const { mj, simulation, own, rays, buffers, pixels } = this;
    this.from_m.set(from_m);
    for (let i = 0; i < rays.length; i += 3)
      for (let k = 0; k < 3; k++)
        rays[i + k] = axes[3 * k] * own[i] + axes[3 * k + 1] * own[i + 1] + axes[3 * k + 2] * own[i + 2];
    mj.mj_multiRay(
      simulation.model,
      simulation.raw,
      this.from_m as unknown as number[],
      rays as unknown as number[],
      SEEN_GROUPS,
      true,
      this.excluded,
      buffers.geom,
      buffers.distance,
      buffers.normal,
      pixels,
      FARTHEST_M,
    );
    this.geom = buffers.geom.GetView() as Int32Array;
    this.distance_m = buffers.distance.GetView() as Float64Array;
    this.normal = buffers.normal.GetView() as Float64Array;
  }

  /** Colour of a pixel of the newest cast, 0 to 255: brighter the more its surface faces the camera. */
  shade(pixel: number, rgb: Float64Array): void {
    const g = this.geom[pixel];
    if (g < 0) {
      rgb.set(SKY);
      return;
    }
    const { rays, normal, from_m } = this;
    const at = 3 * pixel;
    const facing = Math.abs(
      normal[at] * rays[at] + normal[at + 1] * rays[at + 1] + normal[at + 2] * rays[at + 2],
    );
    const light = AMBIENT + (1 - AMBIENT) * facing;
    const tile = (k: number) => Math.floor((from_m[k] + this.distance_m[pixel] * rays[at + k]) / TILE_M);
    const floor = (tile(0) + tile(1)) & 1 ? 0.45 : 0.6;
    const { geom_rgba } = this.simulation.parameters;
    for (let k = 0; k < 3; k++)
      rgb[k] = Math.min(255, 255 * light * (g === this.floor ? floor : geom_rgba[4 * g + k]));
  }

  close(): void {
    for (const buffer of Object.values(this.buffers)) buffer.delete();
  }
}

/** Unit vectors through the middle of each pixel: (forward, left, up). */
function raysOf({ width, height, fov_rad }: Lens): Float64Array {
  const scale = Math.tan(fov_rad / 2) / (height / 2);
  const rays = new Float64Array(3 * width * height);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const left = scale * (width / 2 - column - 0.5);
      const up = scale * (height / 2 - row - 0.5);
      const length = Math.hypot(1, left, up);
      rays.set([1 / length, left / length, up / length], 3 * (row * width + column));
    }
  return rays;
}
