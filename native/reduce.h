// Sums and maxima along axes, and what is done with whole rows: normalisation and softmax.
#pragma once
#include "functions.h"

namespace kernel {

/** What is added up, or compared: x, x y, or (x − y)² with y the same along the reduced axes. */
enum Term { TERM_sum, TERM_maximum, TERM_product, TERM_deviation };

/** Where an operand lies: its steps along the kept and the reduced axes, up to three each, the last the innermost. */
struct Reduced {
  int32_t from;
  int32_t keptStep[3], step[3];
};
struct Reduction {
  int32_t rows;
  int32_t term;
  float scale;
  int32_t to;
  int32_t kept[3], length[3], toStep[3];
  Reduced x, y;
};

template <int TERM>
INLINE Vec join(Vec sum, Vec x, Vec y) {
  if (TERM == TERM_sum) return sum + x;
  if (TERM == TERM_maximum) return maximum(sum, x);
  if (TERM == TERM_product) return madd(x, y, sum);
  return madd(x - y, x - y, sum);
}

/** One element: vectors along the innermost axis where it is contiguous. */
template <int TERM>
static float reduceOne(const Reduction& r, const float* x, const float* y) {
  const bool most = TERM == TERM_maximum;
  const float start = most ? -__builtin_inff() : 0.0f;
  Vec lanes[4] = {splat(start), splat(start), splat(start), splat(start)};
  float rest = start;
  for (long a = 0; a < r.length[0]; a++)
    for (long b = 0; b < r.length[1]; b++) {
      const float* p = x + a * r.x.step[0] + b * r.x.step[1];
      const float* q = y + a * r.y.step[0] + b * r.y.step[1];
      const auto second = [&](long i) { return TERM == TERM_product ? load(q + i) : splat(*q); };
      long i = 0;
      if (r.x.step[2] == 1 && (TERM != TERM_product || r.y.step[2] == 1)) {
        for (; i + 4 * LANES <= r.length[2]; i += 4 * LANES)
#pragma GCC unroll 4
          for (int v = 0; v < 4; v++)
            lanes[v] = join<TERM>(lanes[v], load(p + i + v * LANES), second(i + v * LANES));
        for (; i + LANES <= r.length[2]; i += LANES) lanes[0] = join<TERM>(lanes[0], load(p + i), second(i));
      }
      for (; i < r.length[2]; i++) {
        const float v = p[i * r.x.step[2]], w = q[i * r.y.step[2]];
        if (most)
          rest = v > rest || v != v ? v : rest;
        else
          rest += TERM == TERM_sum ? v : TERM == TERM_product ? v * w : (v - w) * (v - w);
      }
    }
  if (most) {
    const float inLanes = largest(maximum(maximum(lanes[0], lanes[1]), maximum(lanes[2], lanes[3])));
    return (inLanes > rest || inLanes != inLanes ? inLanes : rest) * r.scale;
  }
  return (total((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + rest) * r.scale;
}

/**
 * Neighbours of the result at once, where they are neighbours in the operands too: whole lines of memory, in order.
 * Either some whole vectors, or `part` lanes of one.
 */
template <int TERM, int VECTORS>
static void reduceMany(const Reduction& r, const float* x, const float* y, float* to, int part = LANES) {
  const bool whole = VECTORS > 1 || part == LANES;
  const auto read = [&](const float* p) { return whole ? load(p) : loadPart(p, part); };
  Vec sum[VECTORS], second[VECTORS];
#pragma GCC unroll 8
  for (int v = 0; v < VECTORS; v++) {
    sum[v] = splat(TERM == TERM_maximum ? -__builtin_inff() : 0.0f);
    second[v] = TERM == TERM_deviation ? read(y + v * LANES) : Vec{};
  }
  for (long a = 0; a < r.length[0]; a++)
    for (long b = 0; b < r.length[1]; b++) {
      const float* p = x + a * r.x.step[0] + b * r.x.step[1];
      const float* q = y + a * r.y.step[0] + b * r.y.step[1];
      for (long i = 0; i < r.length[2]; i++, p += r.x.step[2], q += r.y.step[2])
#pragma GCC unroll 8
        for (int v = 0; v < VECTORS; v++)
          sum[v] = join<TERM>(sum[v], read(p + v * LANES), TERM == TERM_product ? read(q + v * LANES) : second[v]);
    }
#pragma GCC unroll 8
  for (int v = 0; v < VECTORS; v++) {
    if (whole)
      store(to + v * LANES, sum[v] * r.scale);
    else
      storePart(to, sum[v] * r.scale, part);
  }
}

template <int TERM>
static void reduceTerm(const Reduction& r, float* arena, long begin, long end) {
  const bool two = TERM == TERM_product || TERM == TERM_deviation;
  const bool many = r.x.keptStep[2] == 1 && r.toStep[2] == 1 && (!two || r.y.keptStep[2] == 1);
  for (long e = begin; e < end;) {
    const long k2 = e % r.kept[2], k1 = e / r.kept[2] % r.kept[1], k0 = e / r.kept[2] / r.kept[1];
    const auto at = [&](const int32_t* step) { return k0 * step[0] + k1 * step[1] + k2 * step[2]; };
    const float* x = arena + r.x.from + at(r.x.keptStep);
    const float* y = arena + r.y.from + at(r.y.keptStep);
    float* to = arena + r.to + at(r.toStep);
    const long left = r.kept[2] - k2 < end - e ? r.kept[2] - k2 : end - e;
    if (!many || left == 1) {
      *to = reduceOne<TERM>(r, x, y);
      e++;
    } else if (left >= 8 * LANES) {
      reduceMany<TERM, 8>(r, x, y, to);
      e += 8 * LANES;
    } else if (left >= 2 * LANES) {
      reduceMany<TERM, 2>(r, x, y, to);
      e += 2 * LANES;
    } else {
      const int part = left < LANES ? (int)left : LANES;
      reduceMany<TERM, 1>(r, x, y, to, part);
      e += part;
    }
  }
}

static void reduce(const Reduction& r, float* arena, long begin, long end) {
  switch (r.term) {
    case TERM_sum:
      return reduceTerm<TERM_sum>(r, arena, begin, end);
    case TERM_maximum:
      return reduceTerm<TERM_maximum>(r, arena, begin, end);
    case TERM_product:
      return reduceTerm<TERM_product>(r, arena, begin, end);
    default:
      return reduceTerm<TERM_deviation>(r, arena, begin, end);
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

/** Several sums at once, so that additions do not wait for one another. */
template <class F>
INLINE Vec sumOver(long n, F f) {
  Vec sums[4] = {};
  long i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES)
#pragma GCC unroll 4
    for (int v = 0; v < 4; v++) sums[v] += f(i + v * LANES, LANES);
  Vec sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
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
