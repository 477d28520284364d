import { multiply, rotate } from '../../robot/rotation.js';
import type { Scene, SceneBody, SceneGeom, SceneMesh } from '../../robot/scene.js';
import type { RobotState } from '../../robot/state.js';
import { encode } from '../../ros/codec.js';
import { FixedMessage } from '../../ros/fixedMessage.js';
import { BASE_FRAME, ODOM_FRAME } from '../../ros/links.js';
import type { Time, TransformStamped } from '../../ros/types.js';

/**
 * The robot's shapes for viewers: markers that are sent once, each in the frame of its body, and the
 * frames of the bodies as they move. They are the bodies of the model that is simulated, and so show
 * what the chains of `robot.yaml` do not have: a gripper's jaw, and things on the table.
 */

const START: Time = { sec: 0, nanosec: 0 };
const PREFIX = 'model/';
/** Where x, y, z, w of the rotation lie behind the translation. */
const ROTATION = 3;
/** Of `visualization_msgs/msg/Marker`. */
const Shape = { cube: 1, sphere: 2, cylinder: 3, triangles: 11 } as const;

const frameOf = (body: SceneBody) => PREFIX + body.name;

/** `/tf` of the bodies, in one message whose bytes are written over each time. */
export class ModelFrames {
  private readonly message: FixedMessage;
  private readonly stamps: ((time: Time) => void)[];
  private readonly transforms: Float64Array[];
  private readonly turn = new Float64Array(4);
  private readonly turned = new Float64Array(4);
  private readonly shift = new Float64Array(3);

  /** @param floating whether things that stand in the world stand in `odom`, else in the base's frame */
  constructor(
    private readonly scene: Scene,
    floating: boolean,
  ) {
    const { bodies } = scene;
    const parentOf = ({ parent }: SceneBody, b: number) => {
      if (parent >= 0) return frameOf(bodies[parent]);
      return b === 0 || !floating ? BASE_FRAME : ODOM_FRAME;
    };
    const transforms = bodies.map((body, b): TransformStamped => {
      // The base's own place in the world is what `odom` to the base says, where that floats.
      const [x, y, z] = b === 0 && floating ? [0, 0, 0] : body.position_m;
      const [w, i, j, k] = b === 0 && floating ? [1, 0, 0, 0] : body.orientation;
      return {
        header: { stamp: START, frame_id: parentOf(body, b) },
        child_frame_id: frameOf(body),
        transform: { translation: { x, y, z }, rotation: { x: i, y: j, z: k, w } },
      };
    });
    this.message = new FixedMessage('tf2_msgs/msg/TFMessage', { transforms });
    this.stamps = bodies.map((_, b) => this.message.time(`transforms.${b}.header.stamp`));
    this.transforms = bodies.map((_, b) => this.message.float64(`transforms.${b}.transform`));
  }

  write(state: RobotState, stamp: Time): Uint8Array {
    this.scene.bodies.forEach((body, b) => {
      this.stamps[b](stamp);
      const { object } = body;
      if (object !== undefined) this.transforms[b].set(state.object_m.subarray(3 * object, 3 * object + 3));
      else if (body.joints.length > 0) this.place(body, state.position_rad, this.transforms[b]);
    });
    return this.message.bytes;
  }

  /** Each hinge turns the body about its anchor, one after the other. */
  private place(body: SceneBody, position_rad: Float64Array, out: Float64Array): void {
    const { turn, turned, shift } = this;
    const q = Float64Array.from(body.orientation);
    const p = Float64Array.from(body.position_m);
    for (const { index, anchor_m, axis, zero_rad } of body.joints) {
      const half = (position_rad[index] - zero_rad) / 2;
      rotate(q, anchor_m, shift);
      for (let k = 0; k < 3; k++) p[k] += shift[k];
      turn[0] = Math.cos(half);
      for (let k = 0; k < 3; k++) turn[k + 1] = Math.sin(half) * axis[k];
      multiply(q, turn, turned);
      q.set(turned);
      rotate(q, anchor_m, shift);
      for (let k = 0; k < 3; k++) p[k] -= shift[k];
    }
    out.set(p);
    out.set([q[1], q[2], q[3], q[0]], ROTATION);
  }
}

/** `visualization_msgs/msg/MarkerArray` of all shapes. */
export function modelMarkers(scene: Scene): Uint8Array {
  const markers = scene.geoms.flatMap((geom) => {
    const [r, g, b, a] = geom.rgba;
    return partsOf(geom, scene.meshes).map((part) => ({
      header: { stamp: START, frame_id: frameOf(scene.bodies[geom.body]) },
      ns: scene.bodies[geom.body].name,
      pose: { position: point(part.at_m), orientation: quaternion(geom.orientation) },
      color: { r, g, b, a },
      frame_locked: true,
      type: part.type,
      scale: point(part.scale_m),
      points: part.points,
    }));
  });
  return encode('visualization_msgs/msg/MarkerArray', { markers: markers.map((m, id) => ({ ...m, id })) });
}

interface Part {
  readonly type: number;
  readonly at_m: readonly number[];
  readonly scale_m: readonly number[];
  readonly points?: readonly ReturnType<typeof point>[];
}

/** Markers know no capsule: it is a cylinder and two spheres. */
function partsOf(
  { kind, size_m, position_m, orientation, mesh }: SceneGeom,
  meshes: readonly SceneMesh[],
): Part[] {
  const [a, b, c] = size_m;
  const one = (type: number, scale_m: readonly number[]): Part => ({ type, at_m: position_m, scale_m });
  const end = (z_m: number): Part => {
    const shift = new Float64Array(3);
    rotate(orientation, [0, 0, z_m], shift);
    return { ...one(Shape.sphere, [2 * a, 2 * a, 2 * a]), at_m: position_m.map((x, k) => x + shift[k]) };
  };
  switch (kind) {
    case 'sphere':
      return [one(Shape.sphere, [2 * a, 2 * a, 2 * a])];
    case 'ellipsoid':
      return [one(Shape.sphere, [2 * a, 2 * b, 2 * c])];
    case 'box':
      return [one(Shape.cube, [2 * a, 2 * b, 2 * c])];
    case 'cylinder':
      return [one(Shape.cylinder, [2 * a, 2 * a, 2 * b])];
    case 'capsule':
      return [one(Shape.cylinder, [2 * a, 2 * a, 2 * b]), end(b), end(-b)];
    case 'mesh':
      return [{ ...one(Shape.triangles, [1, 1, 1]), points: trianglesOf(meshes[mesh]) }];
  }
}

/** Corner after corner, three for each face. */
function trianglesOf({ vertices_m, faces }: SceneMesh): ReturnType<typeof point>[] {
  const numbers = Buffer.from(vertices_m, 'base64');
  const corners = Buffer.from(faces, 'base64');
  return Array.from({ length: corners.length / 4 }, (_, i) => {
    const vertex = 12 * corners.readUInt32LE(4 * i);
    return point([0, 4, 8].map((offset) => numbers.readFloatLE(vertex + offset)));
  });
}

function point([x, y, z]: readonly number[]) {
  return { x, y, z };
}

function quaternion([w, x, y, z]: readonly number[]) {
  return { x, y, z, w };
}
