import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { MjModel, MjSpec, MjsBody, MjsDefault } from '@mujoco/mujoco';
import { UserError } from '../src/base/errors.js';
import { Chain } from '../src/robot/kinematics.js';
import type { Robot } from '../src/robot/load.js';
import { feetOf, type ObjectSpec } from '../src/robot/spec.js';
import type { Mujoco } from './mujoco.js';

/** Names of what `compileModel` adds to a robot's model. */
export const added = {
  floor: 'floor',
  imu: 'imu',
  accelerometer: 'imu_accelerometer',
  gyro: 'imu_gyro',
  orientation: 'imu_orientation',
  drive: (joint: string) => `drive_${joint}`,
  touch: (foot: string) => `touch_${foot}`,
  object: (name: string) => `object_${name}`,
} as const;

/**
 * Compiles a robot's MJCF or URDF into a world it can be simulated in. The file describes the robot
 * alone: a floor, a free joint for a floating base, one drive a joint, the IMU and foot-contact
 * sensors are added here, so that any robot's model is simulated alike.
 * @throws UserError when the file does not compile, or does not fit `robot.yaml`: it names the joint
 */
export function compileModel(mj: Mujoco, robot: Robot): MjModel {
  const { spec } = robot;
  const files = new mj.MjVFS();
  let description: MjSpec | undefined;
  try {
    addAssets(files, dirname(robot.modelPath));
    description = parse(mj, robot, files);
    const world = mj.mjs_findBody(description, 'world')!;
    const base = childBody(mj, world);
    if (!base) throw new UserError(`${robot.modelPath}: no body in the world`);
    const defaults = mj.mjs_getSpecDefault(description)!;
    description.memory = 4 * 1024 * 1024; // a fixed arena: the heap, and so every view, stays put
    // URDF knows neither; MJCF files of robots mostly say them, but training needs them all alike.
    description.option.timestep = 1 / spec.rates.control_hz;
    description.option.integrator = mj.mjtIntegrator.mjINT_IMPLICITFAST.value;
    description.option.cone = mj.mjtCone.mjCONE_PYRAMIDAL.value;

    if (!mj.mjs_findElement(description, mj.mjtObj.mjOBJ_GEOM, added.floor)) {
      const floor = mj.mjs_addGeom(world, defaults)!;
      mj.mjs_setName(floor.element, added.floor);
      floor.type = mj.mjtGeom.mjGEOM_PLANE;
      floor.size.set([0, 0, 0.05]);
    }
    const firstJoint = mj.mjs_firstChild(base, mj.mjtObj.mjOBJ_JOINT, 0);
    const free = firstJoint !== undefined && mj.mjs_asJoint(firstJoint)!.type === mj.mjtJoint.mjJNT_FREE;
    if (spec.base === 'floating' && !free) mj.mjs_addFreeJoint(base);
    if (spec.base === 'fixed' && free)
      throw new UserError(`${robot.path}: base is fixed, but ${robot.modelPath} gives it a free joint`);

    for (const object of spec.objects) addObject(mj, world, defaults, object);
    for (const joint of spec.joints) {
      if (!mj.mjs_findElement(description, mj.mjtObj.mjOBJ_JOINT, joint.name))
        throw new UserError(
          `${robot.path}: joint "${joint.name}" is not in ${robot.modelPath}, which has ${jointNames(mj, description).join(', ')}`,
        );
      const drive = mj.mjs_addActuator(description, defaults)!;
      mj.mjs_setName(drive.element, added.drive(joint.name));
      drive.trntype = mj.mjtTrn.mjTRN_JOINT;
      drive.target = joint.name;
      drive.biastype = mj.mjtBias.mjBIAS_AFFINE;
      drive.forcelimited = mj.mjtLimited.mjLIMITED_TRUE;
      drive.forcerange.set([-joint.torque_nm, joint.torque_nm]);
    }

    if (spec.imu) {
      if (!mj.mjs_findElement(description, mj.mjtObj.mjOBJ_SITE, added.imu))
        mj.mjs_setName(mj.mjs_addSite(base, defaults)!.element, added.imu);
      const { mjSENS_ACCELEROMETER, mjSENS_GYRO, mjSENS_FRAMEQUAT } = mj.mjtSensor;
      for (const [name, type] of [
        [added.accelerometer, mjSENS_ACCELEROMETER],
        [added.gyro, mjSENS_GYRO],
        [added.orientation, mjSENS_FRAMEQUAT],
      ] as const) {
        addSensor(mj, description, name, type, added.imu);
      }
    }
    for (const foot of feetOf(spec)) {
      if (!mj.mjs_findElement(description, mj.mjtObj.mjOBJ_SITE, foot.name))
        throw new UserError(
          `${robot.path}: chain "${foot.name}" has no site of that name in ${robot.modelPath}`,
        );
      addSensor(mj, description, added.touch(foot.name), mj.mjtSensor.mjSENS_TOUCH, foot.name);
    }

    const model = compile(mj, description, robot, files);
    try {
      checkAgainstSpec(mj, model, robot);
    } catch (error) {
      model.delete();
      throw error;
    }
    return model;
  } finally {
    description?.delete();
    files.delete();
  }
}

/** A thing on the table; what can be moved gets a free joint. */
function addObject(mj: Mujoco, world: MjsBody, defaults: MjsDefault, object: ObjectSpec): void {
  const box = object.shape === 'box';
  const body = mj.mjs_addBody(world, defaults)!;
  mj.mjs_setName(body.element, added.object(object.name));
  body.pos.set([object.x_m[0], object.y_m[0], object.size_m[box ? 2 : 1]]);
  const geom = mj.mjs_addGeom(body, defaults)!;
  mj.mjs_setName(geom.element, added.object(object.name));
  geom.type = box ? mj.mjtGeom.mjGEOM_BOX : mj.mjtGeom.mjGEOM_CYLINDER;
  geom.size.set([...object.size_m, 0].slice(0, 3));
  geom.rgba.set(object.mass_kg === undefined ? [0.55, 0.6, 0.65, 1] : [0.85, 0.25, 0.2, 1]);
  if (object.mass_kg === undefined) return;
  geom.mass = object.mass_kg;
  // Torsional friction too: what is held between two jaws must not turn freely about them.
  geom.condim = 4;
  geom.friction.set([1, 0.02, 0.001]);
  mj.mjs_addFreeJoint(body);
}

function parse(mj: Mujoco, robot: Robot, files: InstanceType<Mujoco['MjVFS']>): MjSpec {
  let xml: string;
  try {
    xml = readFileSync(robot.modelPath, 'utf8');
  } catch {
    throw new UserError(`${robot.path}: model "${robot.spec.model}" cannot be read (${robot.modelPath})`);
  }
  try {
    return mj.parseXMLString(xml, files);
  } catch (error) {
    throw new UserError(`${robot.modelPath}: does not compile: ${mujocoMessage(error)}`);
  }
}

function compile(
  mj: Mujoco,
  description: MjSpec,
  robot: Robot,
  files: InstanceType<Mujoco['MjVFS']>,
): MjModel {
  try {
    return mj.mj_compile(description, files);
  } catch (error) {
    throw new UserError(`${robot.modelPath}: does not compile: ${mujocoMessage(error)}`);
  }
}

function mujocoMessage(error: unknown): string {
  return String((error as Error).message ?? error)
    .replace(/^(MuJoCo )?Error: /, '')
    .trim();
}

function addSensor(
  mj: Mujoco,
  description: MjSpec,
  name: string,
  type: Mujoco['mjtSensor'][keyof Mujoco['mjtSensor']],
  site: string,
): void {
  const sensor = mj.mjs_addSensor(description)!;
  mj.mjs_setName(sensor.element, name);
  sensor.type = type as typeof sensor.type;
  sensor.objtype = mj.mjtObj.mjOBJ_SITE;
  sensor.objname = site;
}

/** Meshes and textures that lie in the model's folder, under their paths relative to it. */
function addAssets(files: InstanceType<Mujoco['MjVFS']>, folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/\.(stl|obj|msh|png)$/i.test(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    files.addBuffer(relative(folder, path), readFileSync(path));
  }
}

function childBody(mj: Mujoco, world: MjsBody): MjsBody | undefined {
  const element = mj.mjs_firstChild(world, mj.mjtObj.mjOBJ_BODY, 0);
  return element && mj.mjs_asBody(element);
}

function jointNames(mj: Mujoco, description: MjSpec): string[] {
  const names: string[] = [];
  let element = mj.mjs_firstElement(description, mj.mjtObj.mjOBJ_JOINT);
  while (element) {
    names.push(mj.mjs_getName(element));
    element = mj.mjs_nextElement(description, element);
  }
  return names;
}

/** The model's joints, ranges and chains must say what `robot.yaml` says. */
function checkAgainstSpec(mj: Mujoco, model: MjModel, robot: Robot): void {
  const { spec } = robot;
  const mismatch = (text: string) =>
    new UserError(`${robot.path} and ${robot.modelPath} do not fit: ${text}`);
  const jointObject = mj.mjtObj.mjOBJ_JOINT.value;
  const known = new Set(spec.joints.map((j) => j.name));
  for (let j = 0; j < model.njnt; j++) {
    if (model.jnt_type[j] === mj.mjtJoint.mjJNT_FREE.value) continue;
    const name = mj.mj_id2name(model, jointObject, j) ?? '';
    if (!known.has(name)) throw mismatch(`the model's joint "${name}" is not in robot.yaml`);
  }
  for (const joint of spec.joints) {
    const j = mj.mj_name2id(model, jointObject, joint.name);
    if (model.jnt_type[j] !== mj.mjtJoint.mjJNT_HINGE.value)
      throw mismatch(`joint "${joint.name}" is not a hinge in the model`);
    const [low, high] = [model.jnt_range[2 * j], model.jnt_range[2 * j + 1]];
    if (low === high) continue; // the model does not limit it
    const [specLow, specHigh] = joint.position_rad;
    if (specLow < low - 1e-3 || specHigh > high + 1e-3)
      throw mismatch(
        `joint "${joint.name}": position_rad [${specLow}, ${specHigh}] reaches beyond the model's range [${low.toFixed(3)}, ${high.toFixed(3)}]`,
      );
  }
  const { link } = spec.camera ?? {};
  const body = mj.mjtObj.mjOBJ_BODY.value;
  if (link !== undefined && mj.mj_name2id(model, body, link) < 0) {
    const bodies = Array.from({ length: model.nbody - 1 }, (_, b) => mj.mj_id2name(model, body, b + 1));
    throw mismatch(`camera: link: the model has no body "${link}"; it has ${bodies.join(', ')}`);
  }
  checkChains(mj, model, robot, mismatch);
}

/** Each chain's tip must lie where the model has the site of its name, at home and at bent joints. */
function checkChains(mj: Mujoco, model: MjModel, robot: Robot, mismatch: (text: string) => UserError): void {
  const { spec } = robot;
  const data = new mj.MjData(model);
  try {
    for (const chainSpec of spec.chains) {
      const site = mj.mj_name2id(model, mj.mjtObj.mjOBJ_SITE.value, chainSpec.name);
      if (site < 0) throw mismatch(`chain "${chainSpec.name}" has no site of that name`);
      const chain = new Chain(chainSpec, spec);
      const q = spec.joints.map((j) => j.home_rad);
      const tipError = (): number => {
        spec.joints.forEach((joint, i) => {
          const j = mj.mj_name2id(model, mj.mjtObj.mjOBJ_JOINT.value, joint.name);
          data.qpos[model.jnt_qposadr[j]] = q[i];
        });
        mj.mj_kinematics(model, data);
        chain.update(q);
        const base = model.nbody > 1 ? 1 : 0;
        const R = data.xmat.slice(9 * base, 9 * base + 9);
        const d = [0, 1, 2].map((k) => data.site_xpos[3 * site + k] - data.xpos[3 * base + k]);
        const inBase = [0, 1, 2].map((k) => R[k] * d[0] + R[3 + k] * d[1] + R[6 + k] * d[2]);
        return Math.hypot(...inBase.map((x, k) => x - chain.tip_m[k]));
      };
      const home = tipError();
      if (home > 1e-3)
        throw mismatch(`chain "${chainSpec.name}": its tip is ${home.toFixed(4)} m from the model's site`);
      for (const { joint } of chainSpec.links) {
        const i = spec.joints.findIndex((j) => j.name === joint);
        const [low, high] = spec.joints[i].position_rad;
        q[i] = low + 0.8 * (high - low);
        const bent = tipError();
        if (bent > 1e-3)
          throw mismatch(
            `chain "${chainSpec.name}": bending joint "${joint}" puts its tip ${bent.toFixed(4)} m from the model's site; its offset or axis differs`,
          );
      }
    }
  } finally {
    data.delete();
  }
}
