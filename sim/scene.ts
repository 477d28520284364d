import type { MjModel } from '@mujoco/mujoco';
import type { Robot } from '../src/robot/load.js';
import type { Scene, SceneBody, SceneGeom, SceneMesh } from '../src/robot/scene.js';
import { added, compileModel } from './model.js';
import type { Mujoco } from './mujoco.js';

/** MuJoCo's geom types by their code; planes and height fields belong to the world and are not drawn. */
const KINDS: Readonly<Record<number, SceneGeom['kind']>> = {
  2: 'sphere',
  3: 'capsule',
  4: 'ellipsoid',
  5: 'cylinder',
  6: 'box',
  7: 'mesh',
};
/** MuJoCo's own viewer hides groups from here on: by custom they hold collision shapes. */
const HIDDEN_GROUP = 3;

/**
 * What a robot looks like, read from its compiled model: the same shapes and joints that are simulated.
 * @throws UserError where the model does not compile or does not fit `robot.yaml`
 */
export function sceneOf(mj: Mujoco, robot: Robot): Scene {
  const model = compileModel(mj, robot);
  try {
    const bodies = Array.from({ length: model.nbody - 1 }, (_, b) => body(mj, model, robot, b + 1));
    const geoms = Array.from({ length: model.ngeom }, (_, g) => geom(model, g)).filter(
      (g) => g !== undefined,
    );
    const meshes = Array.from({ length: model.nmesh }, (_, m) => mesh(model, m));
    return { robot: robot.spec.name, bodies, geoms, meshes };
  } finally {
    model.delete();
  }
}

/** @param b from 1: the world is none of the robot's bodies */
function body(mj: Mujoco, model: MjModel, robot: Robot, b: number): SceneBody {
  const joints: SceneBody['joints'][number][] = [];
  const first = model.body_jntadr[b];
  for (let j = first; j < first + model.body_jntnum[b]; j++) {
    const name = mj.mj_id2name(model, mj.mjtObj.mjOBJ_JOINT.value, j);
    const index = robot.spec.joints.findIndex((joint) => joint.name === name);
    if (index < 0) continue; // the free joint of the base
    joints.push({
      index,
      anchor_m: numbers(model.jnt_pos, 3, j),
      axis: numbers(model.jnt_axis, 3, j),
      zero_rad: model.qpos0[model.jnt_qposadr[j]],
    });
  }
  const name = mj.mj_id2name(model, mj.mjtObj.mjOBJ_BODY.value, b) || `body ${b}`;
  const object = robot.spec.objects.findIndex((o) => added.object(o.name) === name);
  return {
    name,
    ...(object >= 0 && { object }),
    parent: model.body_parentid[b] - 1,
    position_m: numbers(model.body_pos, 3, b),
    orientation: numbers(model.body_quat, 4, b),
    joints,
  };
}

function geom(model: MjModel, g: number): SceneGeom | undefined {
  const kind = KINDS[model.geom_type[g]];
  const rgba = numbers(model.geom_rgba, 4, g);
  if (!kind || model.geom_bodyid[g] === 0 || model.geom_group[g] >= HIDDEN_GROUP || rgba[3] === 0)
    return undefined;
  return {
    kind,
    body: model.geom_bodyid[g] - 1,
    position_m: numbers(model.geom_pos, 3, g),
    orientation: numbers(model.geom_quat, 4, g),
    size_m: numbers(model.geom_size, 3, g),
    rgba,
    mesh: kind === 'mesh' ? model.geom_dataid[g] : -1,
  };
}

function mesh(model: MjModel, m: number): SceneMesh {
  const vertices: Float32Array = model.mesh_vert.slice(
    3 * model.mesh_vertadr[m],
    3 * (model.mesh_vertadr[m] + model.mesh_vertnum[m]),
  );
  const faces: Int32Array = model.mesh_face.slice(
    3 * model.mesh_faceadr[m],
    3 * (model.mesh_faceadr[m] + model.mesh_facenum[m]),
  );
  return {
    vertices_m: Buffer.from(Float32Array.from(vertices).buffer).toString('base64'),
    faces: Buffer.from(Uint32Array.from(faces).buffer).toString('base64'),
  };
}

/** The i-th tuple of a flat array; six digits are a micrometre, and a page need not be sent more. */
function numbers(flat: ArrayLike<number>, size: number, i: number): number[] {
  return Array.from({ length: size }, (_, k) => Number(flat[size * i + k].toFixed(6)));
}
