import {
  Box3,
  BoxGeometry,
  BufferAttribute,
  BufferGeometry,
  CapsuleGeometry,
  Color,
  CylinderGeometry,
  DirectionalLight,
  Float32BufferAttribute,
  Fog,
  HemisphereLight,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  MeshLambertMaterial,
  Object3D,
  PerspectiveCamera,
  SphereGeometry,
  Scene as ThreeScene,
  Vector3,
  WebGLRenderer,
} from 'three';
import { OrbitControls } from 'three/addons/controls/OrbitControls.js';
import type { Scene, SceneGeom, SceneMesh } from '../../robot/scene.js';
import type { Frame } from '../frame.js';

/** Of the floor's grid. It moves in whole squares, so that the floor passes by below. */
const SQUARES = 40;
/** The camera stands off by so many times the robot's size, and the floor fades in the distance. */
const DISTANCE = 2.3;
const FADES = [4, 11] as const;
/** Time constant with which the camera comes after the robot, s; it is there at once where the robot is this far off. */
const FOLLOW_S = 0.15;
const LOST_M = 1.5;
/** Slower than this, pictures become coarser, down to half a pixel a pixel. */
const LEAST_FPS = 28;
const SLOW_MS = 50;
const COARSER = 0.75;
const COARSEST = 0.5;

/** Whoever asks for little motion is shown a picture a second. */
const calmly = matchMedia('(prefers-reduced-motion: reduce)');
const CALM_MS = 1000;

interface Hinge {
  readonly joint: number;
  readonly object: Object3D;
  readonly axis: Vector3;
  readonly zero_rad: number;
}

/** Draws the robot: z is up, lengths are metres, as in the model. Renders only what has changed. */
export class RobotView {
  /** Pictures in the last second. */
  fps = 0;
  private readonly renderer: WebGLRenderer;
  private readonly scene = new ThreeScene();
  private readonly camera = new PerspectiveCamera(35, 1, 0.02, 60);
  private readonly controls: OrbitControls;
  private readonly base = new Object3D();
  private readonly hinges: Hinge[] = [];
  /** Things on the table. */
  private readonly objects: { readonly index: number; readonly body: Object3D }[] = [];
  private readonly tips: Object3D[] = [];
  private grid: LineSegments | undefined;
  private readonly looksAt = new Vector3();
  /** Diagonal of the box around the robot as the model has it. */
  private readonly size_m: number;
  private readonly step = new Vector3();
  private dirty = true;
  private drawn = 0;
  private ticks = 0;
  private tickedAt_ms = performance.now();
  private drawnAt_ms = 0;
  private drewLast = false;
  private cost_ms = 0;
  private countedAt_ms = performance.now();
  private running = true;
  private inSight = true;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    description: Scene,
    private readonly floating: boolean,
  ) {
    this.renderer = rendererOn(canvas);
    this.scene.add(new HemisphereLight(0xffffff, 0x8a8f94, 1.9));
    const sun = new DirectionalLight(0xffffff, 1.7);
    sun.position.set(1, -2, 4);
    this.scene.add(sun, this.base);
    this.build(description);
    const box = new Box3().setFromObject(this.base);
    this.size_m = box.getSize(this.step).length() || 1;
    this.camera.up.set(0, 0, 1);
    this.looksAt.set(0, 0, floating ? 0.2 : box.getCenter(this.step).z);
    this.camera.position
      .set(0.5, -0.74, 0.44)
      .multiplyScalar(DISTANCE * this.size_m)
      .add(this.looksAt);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = true;
    this.controls.minDistance = 0.2;
    this.controls.maxDistance = 10;
    this.controls.maxPolarAngle = 0.52 * Math.PI;
    this.controls.target.copy(this.looksAt);
    this.controls.addEventListener('change', () => {
      this.dirty = true;
    });
    requestAnimationFrame(() => this.tick());
  }

  /** @param lines colour of the floor's grid; @param ground of what lies behind */
  paint(lines: string, ground: string): void {
    if (this.grid) this.scene.remove(this.grid);
    const color = new Color(lines);
    this.scene.fog = new Fog(ground, FADES[0] * this.size_m, FADES[1] * this.size_m);
    this.grid = new LineSegments(floorGrid(this.square_m), new LineBasicMaterial({ color }));
    this.scene.add(this.grid);
    this.dirty = true;
  }

  show(frame: Frame): void {
    const { base } = this;
    for (const { joint, object, axis, zero_rad } of this.hinges)
      object.quaternion.setFromAxisAngle(axis, frame.state.position_rad[joint] - zero_rad);
    if (this.floating) {
      const [w, x, y, z] = frame.state.orientation;
      base.quaternion.set(x, y, z, w);
      base.position.set(frame.position_m[0], frame.position_m[1], frame.position_m[2]);
      // An estimate knows no height: the robot stands on the lowest point that it has.
      if (!frame.isTruth) base.position.z = this.standingHeight();
    }
    const { object_m } = frame.state;
    for (const { index, body } of this.objects) body.position.fromArray(object_m, 3 * index);
    this.dirty = true;
  }

  resize(width: number, height: number): void {
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.dirty = true;
  }

  /** @param inSight where it is not, nothing is drawn */
  watch(inSight: boolean): void {
    this.inSight = inSight;
    this.dirty = true;
  }

  dispose(): void {
    this.running = false;
    this.controls.dispose();
    this.renderer.dispose();
  }

  private tick(): void {
    if (!this.running) return;
    requestAnimationFrame(() => this.tick());
    const now_ms = performance.now();
    this.follow((now_ms - this.tickedAt_ms) / 1e3);
    this.tickedAt_ms = now_ms;
    this.controls.update();
    if (now_ms - this.countedAt_ms >= 1000) {
      this.fps = (1000 * this.drawn) / (now_ms - this.countedAt_ms);
      // Pictures that nobody asked for do not count as slow ones.
      if (this.fps < LEAST_FPS && (this.drawn === this.ticks || this.cost_ms > SLOW_MS)) this.coarsen();
      this.drawn = 0;
      this.ticks = 0;
      this.countedAt_ms = now_ms;
    }
    this.ticks++;
    // A picture is over when the next tick comes. Where it takes long, the page needs its time back:
    // a click on the emergency stop must not wait behind pictures.
    if (this.drewLast) this.cost_ms = now_ms - this.drawnAt_ms;
    this.drewLast = false;
    if (!this.dirty || !this.inSight || now_ms - this.drawnAt_ms < this.restAfter_ms) return;
    this.dirty = false;
    this.drewLast = true;
    this.drawnAt_ms = now_ms;
    this.drawn++;
    this.renderer.render(this.scene, this.camera);
    this.canvas.dataset.pictures = String(Number(this.canvas.dataset.pictures ?? 0) + 1);
  }

  /** Target and camera go along with the robot; the floor follows by whole squares. */
  private follow(dt_s: number): void {
    if (!this.floating) return;
    const { step, base, controls } = this;
    step.set(base.position.x, base.position.y, controls.target.z).sub(controls.target);
    if (step.length() < LOST_M) step.multiplyScalar(1 - Math.exp(-dt_s / FOLLOW_S));
    controls.target.add(step);
    this.camera.position.add(step);
    const square = (x: number) => this.square_m * Math.round(x / this.square_m);
    this.grid?.position.set(square(base.position.x), square(base.position.y), 0);
  }

  private get restAfter_ms(): number {
    if (calmly.matches) return CALM_MS;
    return this.cost_ms > SLOW_MS ? 3 * this.cost_ms : 0;
  }

  private coarsen(): void {
    const { renderer } = this;
    renderer.setPixelRatio(Math.max(COARSEST, COARSER * renderer.getPixelRatio()));
    this.dirty = true;
  }

  private get square_m(): number {
    return this.size_m > 0.6 ? 0.25 : 0.1;
  }

  private standingHeight(): number {
    this.base.position.z = 0;
    this.base.updateMatrixWorld(true);
    let lowest = 0;
    for (const tip of this.tips) lowest = Math.min(lowest, tip.getWorldPosition(this.step).z);
    return -lowest;
  }

  private build({ bodies, geoms, meshes }: Scene): void {
    const parts: Object3D[] = [];
    bodies.forEach((body, b) => {
      const frame = b === 0 ? this.base : new Object3D();
      frame.position.fromArray(body.position_m);
      const [w, x, y, z] = body.orientation;
      frame.quaternion.set(x, y, z, w);
      let inner = frame;
      for (const { index, anchor_m, axis, zero_rad } of body.joints) {
        const object = new Object3D();
        object.position.fromArray(anchor_m);
        inner.add(object);
        const back = new Object3D();
        back.position.fromArray(anchor_m).negate();
        object.add(back);
        this.hinges.push({ joint: index, object, axis: new Vector3().fromArray(axis), zero_rad });
        inner = back;
      }
      if (body.object !== undefined) this.objects.push({ index: body.object, body: frame });
      parts.push(inner);
      if (b > 0 && body.parent >= 0) parts[body.parent].add(frame);
      else if (b > 0) this.scene.add(frame);
    });
    for (const geom of geoms) {
      const shape = new Mesh(shapeOf(geom, meshes), materialOf(geom));
      const holder = new Object3D();
      holder.position.fromArray(geom.position_m);
      const [w, x, y, z] = geom.orientation;
      holder.quaternion.set(x, y, z, w);
      // three.js has its round shapes along y, MuJoCo along z.
      if (geom.kind === 'capsule' || geom.kind === 'cylinder') shape.rotation.x = Math.PI / 2;
      if (geom.kind === 'ellipsoid') shape.scale.fromArray(geom.size_m);
      holder.add(shape);
      parts[geom.body].add(holder);
      const tip = new Object3D();
      if (geom.kind === 'sphere') tip.position.z = -geom.size_m[0];
      holder.add(tip);
      this.tips.push(tip);
    }
  }
}

/** Smooth edges and fine pixels are for graphics hardware: where the processor draws, they cost most of its time. */
function rendererOn(canvas: HTMLCanvasElement): WebGLRenderer {
  const probe = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  const renderer = new WebGLRenderer({ canvas, antialias: probe !== null, alpha: true });
  renderer.setPixelRatio(probe === null ? 1 : Math.min(2, devicePixelRatio));
  probe?.getExtension('WEBGL_lose_context')?.loseContext();
  return renderer;
}

/** One line for each side of a square: long lines that run past the camera are lost by software renderers. */
function floorGrid(square_m: number): BufferGeometry {
  const points: number[] = [];
  const at = (i: number) => square_m * (i - SQUARES / 2);
  for (let i = 0; i <= SQUARES; i++)
    for (let k = 0; k < SQUARES; k++) {
      points.push(at(i), at(k), 0, at(i), at(k + 1), 0);
      points.push(at(k), at(i), 0, at(k + 1), at(i), 0);
    }
  return new BufferGeometry().setAttribute('position', new Float32BufferAttribute(points, 3));
}

function materialOf({ rgba }: SceneGeom): MeshLambertMaterial {
  const [r, g, b, a] = rgba;
  return new MeshLambertMaterial({ color: new Color(r, g, b), transparent: a < 1, opacity: a });
}

function shapeOf({ kind, size_m: [a, b, c], mesh }: SceneGeom, meshes: readonly SceneMesh[]): BufferGeometry {
  switch (kind) {
    case 'sphere':
      return new SphereGeometry(a, 20, 14);
    case 'ellipsoid':
      return new SphereGeometry(1, 24, 16);
    case 'capsule':
      return new CapsuleGeometry(a, 2 * b, 6, 16);
    case 'cylinder':
      return new CylinderGeometry(a, a, 2 * b, 28);
    case 'box':
      return new BoxGeometry(2 * a, 2 * b, 2 * c);
    case 'mesh': {
      const geometry = new BufferGeometry();
      geometry.setAttribute(
        'position',
        new BufferAttribute(new Float32Array(bytesOf(meshes[mesh].vertices_m)), 3),
      );
      geometry.setIndex(new BufferAttribute(new Uint32Array(bytesOf(meshes[mesh].faces)), 1));
      geometry.computeVertexNormals();
      return geometry;
    }
  }
}

function bytesOf(base64: string): ArrayBuffer {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer;
}
