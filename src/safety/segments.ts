/**
 * Distance between two segments, each two points of three numbers, one after the other.
 * Ericson, Real-Time Collision Detection (2005), 5.1.9; the segments have a length.
 */
export function segmentDistance_m(p: Float64Array, a: number, b: number): number {
  let uu = 0;
  let vv = 0;
  let uv = 0;
  let ur = 0;
  let vr = 0;
  for (let k = 0; k < 3; k++) {
    const u = p[a + 3 + k] - p[a + k];
    const v = p[b + 3 + k] - p[b + k];
    const r = p[a + k] - p[b + k];
    uu += u * u;
    vv += v * v;
    uv += u * v;
    ur += u * r;
    vr += v * r;
  }
  const parallel = uu * vv - uv * uv;
  let s = parallel > 1e-12 * uu * vv ? clamp((uv * vr - ur * vv) / parallel) : 0;
  let t = (uv * s + vr) / vv;
  if (t < 0 || t > 1) {
    t = clamp(t);
    s = clamp((uv * t - ur) / uu);
  }
  let squared = 0;
  for (let k = 0; k < 3; k++) {
    const onA = p[a + k] + s * (p[a + 3 + k] - p[a + k]);
    const onB = p[b + k] + t * (p[b + 3 + k] - p[b + k]);
    squared += (onA - onB) * (onA - onB);
  }
  return Math.sqrt(squared);
}

function clamp(x: number): number {
  return Math.min(1, Math.max(0, x));
}
