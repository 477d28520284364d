/**
 * What a robot looks like: bodies in a tree, joints between them, shapes on them. Made from the model
 * that is simulated (`sim/scene.ts`), drawn by whoever shows the robot. Lengths in metres, quaternions
 * (w, x, y, z), everything relative to the parent body at joint position zero.
 */
export interface Scene {
  readonly robot: string;
  /** Parents before their children. */
  readonly bodies: readonly SceneBody[];
  readonly geoms: readonly SceneGeom[];
  readonly meshes: readonly SceneMesh[];
}

export interface SceneBody {
  readonly name: string;
  /** Index of the parent body; −1 for the base. */
  readonly parent: number;
  readonly position_m: readonly number[];
  readonly orientation: readonly number[];
  /** Index of the object on the table that it is; the base's frame is the world's there. */
  readonly object?: number;
  /** Hinges that move this body, in the order in which they turn it. */
  readonly joints: readonly {
    /** In `robot.yaml` order. */
    readonly index: number;
    readonly anchor_m: readonly number[];
    readonly axis: readonly number[];
    /** Joint position at which the body stands as described above. */
    readonly zero_rad: number;
  }[];
}

export interface SceneGeom {
  readonly kind: 'sphere' | 'capsule' | 'ellipsoid' | 'cylinder' | 'box' | 'mesh';
  readonly body: number;
  readonly position_m: readonly number[];
  readonly orientation: readonly number[];
  /** As in MJCF: radius, half lengths. Capsules and cylinders lie along z. */
  readonly size_m: readonly number[];
  readonly rgba: readonly number[];
  /** Index of the mesh, or −1. */
  readonly mesh: number;
}

export interface SceneMesh {
  /** Float32 triples, little-endian, base64. */
  readonly vertices_m: string;
  /** Uint32 triples of vertex indices, likewise. */
  readonly faces: string;
}
