import type { Simulation } from './simulation.js';

/** MuJoCo's geom types that a picture draws. */
const SPHERE = 2;
const CAPSULE = 3;
const CYLINDER = 5;
const BOX = 6;

interface Shape {
  /** Distance from the viewer, for painting from back to front. */
  readonly depth: number;
  readonly svg: string;
}

export interface View {
  /** Pixels a metre. */
  readonly scale: number;
  /** Angle of the line of sight about the vertical, rad: 0 looks along +y, at the robot's right side. */
  readonly azimuth_rad: number;
  /** How far from above, rad. */
  readonly elevation_rad: number;
}

type Point = readonly [x: number, y: number, depth: number];

/**
 * Draws the robot of a simulation as vector graphics: parallel projection, shapes painted from back
 * to front. MuJoCo in WebAssembly renders nothing, and a page needs no more than this.
 * @param originX_m world x that the picture turns about and that lies at its zero; @param opacity of the whole robot
 */
export function drawRobot(sim: Simulation, view: View, originX_m: number, opacity = 1): string {
  const { geom_xpos, geom_xmat } = sim.data;
  const { geom_size, geom_type, geom_rgba, geom_bodyid } = sim.parameters;
  const cosA = Math.cos(view.azimuth_rad);
  const sinA = Math.sin(view.azimuth_rad);
  const cosE = Math.cos(view.elevation_rad);
  const sinE = Math.sin(view.elevation_rad);
  const project = (x: number, y: number, z: number): Point => {
    const across = cosA * (x - originX_m) + sinA * y;
    const away = -sinA * (x - originX_m) + cosA * y;
    return [view.scale * across, -view.scale * (cosE * z + sinE * away), cosE * away - sinE * z];
  };
  const shapes: Shape[] = [];
  for (let g = 0; g < geom_type.length; g++) {
    if (geom_bodyid[g] === 0) continue;
    const at = (k: number) => geom_xpos[3 * g + k];
    const axis = (column: number, length: number) =>
      [0, 1, 2].map((row) => length * geom_xmat[9 * g + 3 * row + column]);
    const size = (k: number) => geom_size[3 * g + k];
    const [cx, cy, cz] = [at(0), at(1), at(2)];
    const center = project(cx, cy, cz);
    const shade = 1 - 0.35 * Math.min(1, Math.max(0, center[2] + 0.3));
    const rgb = [0, 1, 2].map((k) => Math.round(255 * shade * geom_rgba[4 * g + k]));
    const color = `rgb(${rgb.join(',')})`;
    const type = geom_type[g];
    if (type === SPHERE) {
      shapes.push({
        depth: center[2],
        svg: `<circle cx="${n(center[0])}" cy="${n(center[1])}" r="${n(view.scale * size(0))}" fill="${color}"/>`,
      });
    } else if (type === CAPSULE || type === CYLINDER) {
      const [ax, ay, az] = axis(2, size(1));
      const a = project(cx - ax, cy - ay, cz - az);
      const b = project(cx + ax, cy + ay, cz + az);
      const cap = type === CAPSULE ? 'round' : 'butt';
      shapes.push({
        depth: center[2],
        svg: `<line x1="${n(a[0])}" y1="${n(a[1])}" x2="${n(b[0])}" y2="${n(b[1])}" stroke="${color}" stroke-width="${n(2 * view.scale * size(0))}" stroke-linecap="${cap}"/>`,
      });
    } else if (type === BOX) {
      shapes.push({
        depth: center[2],
        svg: box(
          [cx, cy, cz],
          [0, 1, 2].map((k) => axis(k, size(k))),
          project,
          color,
        ),
      });
    }
  }
  shapes.sort((a, b) => b.depth - a.depth);
  return `<g opacity="${opacity}">${shapes.map((s) => s.svg).join('')}</g>`;
}

/** The outline of a box's eight corners, filled, with its nearest edges drawn. */
function box(
  c: readonly number[],
  half: readonly number[][],
  project: (x: number, y: number, z: number) => Point,
  color: string,
): string {
  const corners: Point[] = [];
  for (let i = 0; i < 8; i++) {
    const s = [i & 1 ? 1 : -1, i & 2 ? 1 : -1, i & 4 ? 1 : -1];
    const at = (k: number) => c[k] + s[0] * half[0][k] + s[1] * half[1][k] + s[2] * half[2][k];
    corners.push(project(at(0), at(1), at(2)));
  }
  const outline = hull(corners);
  return `<polygon points="${outline.map(([x, y]) => `${n(x)},${n(y)}`).join(' ')}" fill="${color}" stroke="#0003" stroke-width="1"/>`;
}

/** Convex hull in the picture plane (Andrew's monotone chain). */
function hull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (list: readonly Point[]) => {
    const chain: Point[] = [];
    for (const p of list) {
      while (chain.length >= 2 && turn(chain[chain.length - 2], chain[chain.length - 1], p) <= 0) chain.pop();
      chain.push(p);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

function n(value: number): string {
  return value.toFixed(1);
}
