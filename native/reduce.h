// Sums and maxima along axes, and what is done with whole rows: normalisation and softmax.
#pragma once
#include "functions.h"

namespace kernel {

/** Kept and reduced axes of the operand, each up to three, with their steps; the last is the innermost. */
struct Reduction {
  int32_t rows;
  int32_t isMaximum;
  float scale;
  int32_t from, to;
  int32_t kept[3], keptStep[3], toStep[3];
  int32_t length[3], step[3];
};

/** One element: vectors along the innermost axis where it is contiguous. */
static float reduceOne(const Reduction& r, const float* x) {
  const bool most = r.isMaximum;
  const float start = most ? -__builtin_inff() : 0.0f;
  Vec lanes = splat(start);
  float rest = start;
  for (long a = 0; a < r.length[0]; a++)
    for (long b = 0; b < r.length[1]; b++) {
      const float* p = x + a * r.step[0] + b * r.step[1];
      long c = 0;
      if (r.step[2] == 1)
        for (; c + LANES <= r.length[2]; c += LANES) lanes = most ? maximum(lanes, load(p + c)) : lanes + load(p + c);
      for (; c < r.length[2]; c++) {
        const float v = p[c * r.step[2]];
        rest = most ? (v > rest || v != v ? v : rest) : rest + v;
      }
    }
  const float inLanes = most ? largest(lanes) : total(lanes);
  return (most ? (inLanes > rest || inLanes != inLanes ? inLanes : rest) : inLanes + rest) * r.scale;
}

/** Neighbours of the result at once, where they are neighbours in the operand too. */
static void reduceMany(const Reduction& r, const float* x, float* to, int width) {
  const bool most = r.isMaximum;
  Vec sum = splat(most ? -__builtin_inff() : 0.0f);
  for (long a = 0; a < r.length[0]; a++)
    for (long b = 0; b < r.length[1]; b++) {
      const float* p = x + a * r.step[0] + b * r.step[1];
      for (long c = 0; c < r.length[2]; c++, p += r.step[2]) {
        const Vec v = width == LANES ? load(p) : loadPart(p, width);
        sum = most ? maximum(sum, v) : sum + v;
      }
    }
  const Vec scaled = sum * r.scale;
  if (width == LANES)
    store(to, scaled);
  else
    storePart(to, scaled, width);
}

static void reduce(const Reduction& r, float* arena, long begin, long end) {
  const bool many = r.keptStep[2] == 1 && r.toStep[2] == 1;
  for (long e = begin; e < end;) {
    const long k2 = e % r.kept[2], k1 = e / r.kept[2] % r.kept[1], k0 = e / r.kept[2] / r.kept[1];
    const float* x = arena + r.from + k0 * r.keptStep[0] + k1 * r.keptStep[1] + k2 * r.keptStep[2];
    float* to = arena + r.to + k0 * r.toStep[0] + k1 * r.toStep[1] + k2 * r.toStep[2];
    long width = r.kept[2] - k2 < end - e ? r.kept[2] - k2 : end - e;
    if (width > LANES) width = LANES;
    if (many && width > 1) {
      reduceMany(r, x, to, (int)width);
      e += width;
    } else {
      *to = reduceOne(r, x);
      e++;
    }
  }
}

enum RowFunction { ROW_normalize, ROW_inverseDeviation, ROW_softmax, ROW_logSoftmax };

/** Rows of `width` contiguous elements. */
struct Rows {
  int32_t rows;
  int32_t function;
  float epsilon;
  int32_t count, width;
  int32_t from, fromStep, to, toStep;
};

template <class F>
INLINE Vec sumOver(long n, F f) {
  Vec sum = {};
  long i = 0;
  for (; i + LANES <= n; i += LANES) sum += f(i, LANES);
  if (i < n) {
    // Lanes beyond the row's end count nothing.
    const Vec part = f(i, (int)(n - i));
    Vec kept = {};
    __builtin_memcpy(&kept, &part, (size_t)(n - i) * 4);
    sum += kept;
  }
  return sum;
}

template <class F>
INLINE void mapRow(const float* x, float* y, long n, F f) {
  long i = 0;
  for (; i + LANES <= n; i += LANES) store(y + i, f(load(x + i)));
  if (i < n) storePart(y + i, f(loadPart(x + i, (int)(n - i))), (int)(n - i));
}

static void rowOf(const Rows& r, const float* x, float* y) {
  const long n = r.width;
  if (r.function == ROW_normalize || r.function == ROW_inverseDeviation) {
    const float mean = total(sumOver(n, [&](long i, int w) { return loadPart(x + i, w); })) / (float)n;
    const float variance = total(sumOver(n, [&](long i, int w) {
                             const Vec d = loadPart(x + i, w) - mean;
                             return d * d;
                           })) /
                           (float)n;
    const float inverse = 1.0f / __builtin_sqrtf(variance + r.epsilon);
    if (r.function == ROW_inverseDeviation)
      *y = inverse;
    else
      mapRow(x, y, n, [&](Vec v) { return (v - mean) * inverse; });
    return;
  }
  Vec tops = splat(x[0]);
  long i = 0;
  for (; i + LANES <= n; i += LANES) tops = maximum(load(x + i), tops);
  float top = largest(tops);
  for (; i < n; i++) top = x[i] > top || x[i] != x[i] ? x[i] : top;
  const bool logarithmic = r.function == ROW_logSoftmax;
  const float sum = total(sumOver(n, [&](long i, int w) {
    const Vec e = exponential(loadPart(x + i, w) - top);
    if (!logarithmic) storePart(y + i, e, w);
    return e;
  }));
  if (logarithmic) {
    const float shift = top + logarithm(splat(sum))[0];
    mapRow(x, y, n, [&](Vec v) { return v - shift; });
  } else {
    mapRow(y, y, n, [&](Vec v) { return v / sum; });
  }
}

/** Rows of this many elements and fewer are taken side by side, a lane for each: alone they would leave lanes empty. */
#define NARROW 16

/** Softmax of up to LANES narrow rows at once; each row's bits are the same whichever are beside it. */
static void narrowSoftmax(const Rows& r, const float* x, float* y, int rows) {
  const int n = r.width;
  Vec v[NARROW];
  for (int k = 0; k < n; k++) {
    v[k] = Vec{};
    for (int i = 0; i < rows; i++) v[k][i] = x[(long)i * r.fromStep + k];
  }
  Vec top = v[0];
  for (int k = 1; k < n; k++) top = maximum(v[k], top);
  Vec sum = {};
  const bool logarithmic = r.function == ROW_logSoftmax;
  for (int k = 0; k < n; k++) {
    const Vec e = exponential(v[k] - top);
    sum += e;
    if (!logarithmic) v[k] = e;
  }
  const Vec shift = top + logarithm(sum);
  for (int k = 0; k < n; k++) {
    v[k] = logarithmic ? v[k] - shift : v[k] / sum;
    for (int i = 0; i < rows; i++) y[(long)i * r.toStep + k] = v[k][i];
  }
}

static void rowsOf(const Rows& r, float* arena, long begin, long end) {
  const bool narrow = r.width <= NARROW && (r.function == ROW_softmax || r.function == ROW_logSoftmax);
  for (long i = begin; i < end; i += narrow ? LANES : 1) {
    const float* x = arena + r.from + i * r.fromStep;
    float* y = arena + r.to + i * r.toStep;
    if (narrow)
      narrowSoftmax(r, x, y, (int)(end - i < LANES ? end - i : LANES));
    else
      rowOf(r, x, y);
  }
}

}  // namespace kernel
