// Elementary functions of vectors, within three units in the last place. Range reductions and polynomials are those
// of Cephes' single-precision library (S. L. Moshier, "Methods and Programs for Mathematical Functions", 1989).
#pragma once
#include "simd.h"

namespace kernel {

/** eˣ = 2ⁿ eʳ with |r| ≤ ln 2 / 2. Results below 2⁻¹²⁶ are 0. */
INLINE Vec exponential(Vec x) {
  const Vec inside = minimum(maximum(x, splat(-87.3f)), splat(88.7f));
  // Adding and taking away 1.5 · 2²³ rounds to a whole number.
  const Vec magic = splat(12582912.0f);
  const Vec shifted = madd(inside, splat(1.44269504f), magic);
  const Vec n = shifted - magic;
  Vec r = madd(n, splat(-0.693359375f), inside);
  r = madd(n, splat(2.12194440e-4f), r);
  Vec p = splat(1.9875691500e-4f);
  p = madd(p, r, splat(1.3981999507e-3f));
  p = madd(p, r, splat(8.3334519073e-3f));
  p = madd(p, r, splat(4.1665795894e-2f));
  p = madd(p, r, splat(1.6666665459e-1f));
  p = madd(p, r, splat(5.0000001201e-1f));
  p = madd(p, r * r, r) + 1.0f;
  // 2ⁿ in two factors: n reaches 128, which one exponent does not hold.
  const VecInt bits = (VecInt)shifted - 0x4b400000;
  const VecInt half = bits >> 1;
  const Vec y = p * (Vec)((half + 127) << 23) * (Vec)((bits - half + 127) << 23);
  const Vec bounded = select(x > 88.72284f, splat(__builtin_inff()), select(x < -87.3f, splat(0.0f), y));
  return select(x != x, x, bounded);
}

/** log x = e ln 2 + log m with √½ ≤ m < √2. */
INLINE Vec logarithm(Vec x) {
  const VecInt tiny = x < 1.17549435e-38f;
  const Vec scaled = select(tiny, x * 8388608.0f, x);
  const VecInt bits = (VecInt)scaled;
  VecInt e = ((bits >> 23) & 255) - 126;
  e = tiny ? e - 23 : e;
  Vec m = (Vec)((bits & 0x007fffff) | 0x3f000000);
  const VecInt low = m < 0.707106781186547524f;
  e = low ? e - 1 : e;
  m = select(low, m + m, m) - 1.0f;
  const Vec k = __builtin_convertvector(e, Vec);
  const Vec z = m * m;
  Vec p = splat(7.0376836292e-2f);
  p = madd(p, m, splat(-1.1514610310e-1f));
  p = madd(p, m, splat(1.1676998740e-1f));
  p = madd(p, m, splat(-1.2420140846e-1f));
  p = madd(p, m, splat(1.4249322787e-1f));
  p = madd(p, m, splat(-1.6668057665e-1f));
  p = madd(p, m, splat(2.0000714765e-1f));
  p = madd(p, m, splat(-2.4999993993e-1f));
  p = madd(p, m, splat(3.3333331174e-1f));
  Vec y = p * m * z;
  y = madd(k, splat(-2.12194440e-4f), y);
  y = madd(z, splat(-0.5f), y);
  y = madd(k, splat(0.693359375f), m + y);
  y = select(x == 0.0f, splat(-__builtin_inff()), y);
  y = select(x == __builtin_inff(), x, y);
  return select((x < 0.0f) | (x != x), splat(__builtin_nanf("")), y);
}

INLINE Vec hyperbolicTangent(Vec x) {
  const Vec a = magnitude(x);
  const Vec z = x * x;
  Vec p = splat(-5.70498872745e-3f);
  p = madd(p, z, splat(2.06390887954e-2f));
  p = madd(p, z, splat(-5.37397155531e-2f));
  p = madd(p, z, splat(1.33314422036e-1f));
  p = madd(p, z, splat(-3.33332819422e-1f));
  const Vec inner = madd(p * z, x, x);
  const Vec outer = 1.0f - 2.0f / (exponential(a + a) + 1.0f);
  const Vec y = select(a < 0.625f, inner, select(x < 0.0f, -outer, outer));
  return select(x != x, x, y);
}

/** eˣ − 1 = tanh(x / 2) (eˣ + 1): no cancellation near 0. */
INLINE Vec exponentialMinusOne(Vec x) { return hyperbolicTangent(x * 0.5f) * (exponential(x) + 1.0f); }

INLINE Vec sigmoid(Vec x) { return 1.0f / (1.0f + exponential(-x)); }

/** max(x, 0) + log(1 + e⁻|ˣ|); log(1 + u) by Kahan's log(w) u / (w − 1), w = 1 + u, which keeps the tail. */
INLINE Vec softplus(Vec x) {
  const Vec u = exponential(-magnitude(x));
  const Vec w = 1.0f + u;
  const Vec d = w - 1.0f;
  const Vec tail = select(d == 0.0f, u, logarithm(w) * u / d);
  return maximum(x, splat(0.0f)) + tail;
}

/** xᵏ: whole powers by repeated squaring, so that negative x are defined, others by logarithms. */
INLINE Vec power(Vec x, float k) {
  if (k == 0.5f) return squareRoot(x);
  if (k == -0.5f) return 1.0f / squareRoot(x);
  const float size = k < 0 ? -k : k;
  if (size <= 64.0f && (float)(int)size == size) {
    Vec y = splat(1.0f);
    Vec square = x;
    for (int n = (int)size; n > 0; n >>= 1, square *= square)
      if (n & 1) y *= square;
    return k < 0 ? 1.0f / y : y;
  }
  // The whole part and the half apart: the logarithm's rounding grows with what is left of k.
  const int whole = (int)k;
  Vec y = splat(1.0f);
  for (int i = 0; i < (whole < 0 ? -whole : whole) && i < 64; i++) y *= x;
  if (whole < 0) y = 1.0f / y;
  const float rest = k - (float)(whole > 64 ? 64 : whole < -64 ? -64 : whole);
  return y * (rest == 0.5f ? squareRoot(x) : exponential(rest * logarithm(x)));
}

}  // namespace kernel
