// Matrix products: panels of B packed once, a register-blocked inner kernel, rows of A packed as they come (Goto and
// van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008; Van Zee and van de Geijn, "BLIS", 2015).
// Every sum runs over k in the same order whatever the number of threads, so results do not depend on it.
#pragma once
#include "elementwise.h"

namespace kernel {

/** Products longer than this are summed in pieces, so that a tile's share of A stays in the cache. */
#define DEPTH 512

/** A matrix somewhere in memory: element (i, k) lies at `at[i rowStep + k columnStep]`. */
struct Matrix {
  const float* at;
  long rowStep, columnStep;
};

/** Transposes four rows of four. */
INLINE void transposeQuad(const float* from, long rowStep, float* to, long toStep) {
  const Quad a = *(const QuadUnaligned*)from, b = *(const QuadUnaligned*)(from + rowStep);
  const Quad c = *(const QuadUnaligned*)(from + 2 * rowStep), d = *(const QuadUnaligned*)(from + 3 * rowStep);
  const Quad ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Quad cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(QuadUnaligned*)to = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
  *(QuadUnaligned*)(to + toStep) = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
  *(QuadUnaligned*)(to + 2 * toStep) = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
  *(QuadUnaligned*)(to + 3 * toStep) = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
}

/**
 * Rows of a matrix side by side: to[k width + i] = m(i, k) for i < rows, k < depth. One routine packs both operands:
 * tiles of A are rows, panels of B are columns, that is rows of its transpose.
 */
static void pack(Matrix m, int rows, long depth, int width, float* to) {
  if (m.columnStep == 1) {
    int i = 0;
    for (; i + 4 <= rows; i += 4) {
      const float* from = m.at + i * m.rowStep;
      long k = 0;
      for (; k + 4 <= depth; k += 4) transposeQuad(from + k, m.rowStep, to + k * width + i, width);
      for (; k < depth; k++)
        for (int r = 0; r < 4; r++) to[k * width + i + r] = from[r * m.rowStep + k];
    }
    for (; i < rows; i++)
      for (long k = 0; k < depth; k++) to[k * width + i] = m.at[i * m.rowStep + k];
  } else if (m.rowStep == 1) {
    for (long k = 0; k < depth; k++) copy(to + k * width, m.at + k * m.columnStep, rows);
  } else {
    for (long k = 0; k < depth; k++)
      for (int i = 0; i < rows; i++) to[k * width + i] = m.at[i * m.rowStep + k * m.columnStep];
  }
}

/** Panels [first, last) of B, TILE_COLUMNS wide; what lies beyond its last column is 0. */
static void packPanels(Matrix transposed, long columns, long depth, long first, long last, float* to) {
  for (long p = first; p < last; p++) {
    const long left = columns - p * TILE_COLUMNS;
    const int width = left < TILE_COLUMNS ? (int)left : TILE_COLUMNS;
    float* panel = to + (p - first) * depth * TILE_COLUMNS;
    if (width < TILE_COLUMNS) fill(panel, 0, depth * TILE_COLUMNS);
    pack({transposed.at + p * TILE_COLUMNS * transposed.rowStep, transposed.rowStep, transposed.columnStep}, width, depth,
         TILE_COLUMNS, panel);
  }
}

/** A tile of C, all its sums in registers: ROWS × TILE_COLUMNS. */
template <int ROWS>
static void tile(const float* a, const float* b, long depth, float* c, long rowStep, int columns, bool more) {
  Vec sum[ROWS][TILE_VECTORS];
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++)
#pragma GCC unroll 4
    for (int j = 0; j < TILE_VECTORS; j++) sum[i][j] = Vec{};
  for (long k = 0; k < depth; k++, a += TILE_ROWS, b += TILE_COLUMNS) {
    Vec row[TILE_VECTORS];
#pragma GCC unroll 4
    for (int j = 0; j < TILE_VECTORS; j++) row[j] = load(b + j * LANES);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      const Vec x = splat(a[i]);
#pragma GCC unroll 4
      for (int j = 0; j < TILE_VECTORS; j++) sum[i][j] = madd(x, row[j], sum[i][j]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++) {
    float* to = c + i * rowStep;
#pragma GCC unroll 4
    for (int j = 0; j < TILE_VECTORS; j++) {
      const int left = columns - j * LANES;
      if (left >= LANES)
        store(to + j * LANES, more ? sum[i][j] + load(to + j * LANES) : sum[i][j]);
      else if (left > 0)
        storePart(to + j * LANES, more ? sum[i][j] + loadPart(to + j * LANES, left) : sum[i][j], left);
    }
  }
}

typedef void (*Tile)(const float*, const float*, long, float*, long, int, bool);
/** Tiles by their number of rows. */
static const Tile tiles[] = {
    0, tile<1>, tile<2>, tile<3>, tile<4>,
#if TILE_ROWS > 4
    tile<5>, tile<6>,
#endif
#if TILE_ROWS > 6
    tile<7>, tile<8>, tile<9>, tile<10>, tile<11>, tile<12>,
#endif
#if TILE_ROWS > 12
    tile<13>, tile<14>,
#endif
};

/**
 * C = A B for `rows` rows of A and packed panels of B.
 * @param packed memory for `blocks` tiles of A: each DEPTH × TILE_ROWS
 */
static void multiply(Matrix a, long rows, long depth, const float* panels, long columns, float* c, long rowStep,
                     float* packed, int blocks) {
  for (long from = 0; from == 0 || from < depth; from += DEPTH) {
    const long length = depth - from < DEPTH ? depth - from : DEPTH;
    for (long top = 0; top < rows; top += blocks * TILE_ROWS) {
      const long block = rows - top < blocks * TILE_ROWS ? rows - top : blocks * TILE_ROWS;
      for (long i = 0; i < block; i += TILE_ROWS) {
        const long height = block - i < TILE_ROWS ? block - i : TILE_ROWS;
        pack({a.at + (top + i) * a.rowStep + from * a.columnStep, a.rowStep, a.columnStep}, (int)height, length, TILE_ROWS,
             packed + i * DEPTH);
      }
      for (long j = 0; j < columns; j += TILE_COLUMNS) {
        const int width = columns - j < TILE_COLUMNS ? (int)(columns - j) : TILE_COLUMNS;
        const float* panel = panels + j * depth + from * TILE_COLUMNS;
        for (long i = 0; i < block; i += TILE_ROWS) {
          const long height = block - i < TILE_ROWS ? block - i : TILE_ROWS;
          const Tile run = height == TILE_ROWS ? tile<TILE_ROWS> : tiles[height];
          run(packed + i * DEPTH, panel, length, c + (top + i) * rowStep + j, rowStep, width, from > 0);
        }
      }
    }
  }
}

/** y[i] = Σₖ m(i, k) x[k] for rows [first, last) that are contiguous along k. */
static void dotRows(Matrix m, const float* x, long xStep, long depth, float* y, long yStep, long first, long last) {
  for (long i = first; i < last; i++) {
    const float* row = m.at + i * m.rowStep;
    Vec s0 = {}, s1 = {};
    long k = 0;
    if (xStep == 1 && m.columnStep == 1) {
      for (; k + 2 * LANES <= depth; k += 2 * LANES) {
        s0 = madd(load(row + k), load(x + k), s0);
        s1 = madd(load(row + k + LANES), load(x + k + LANES), s1);
      }
      for (; k + LANES <= depth; k += LANES) s0 = madd(load(row + k), load(x + k), s0);
    }
    float sum = total(s0 + s1);
    for (; k < depth; k++) sum += row[k * m.columnStep] * x[k * xStep];
    y[(i - first) * yStep] = sum;
  }
}

/** y[j] = Σₖ x[k] m(k, j) for columns [first, last) of rows that are contiguous along j: rows of m, combined. */
static void combineRows(Matrix m, const float* x, long xStep, long depth, float* y, long yStep, long first, long last) {
  long j = first;
  for (; j + 4 * LANES <= last; j += 4 * LANES) {
    Vec s0 = {}, s1 = {}, s2 = {}, s3 = {};
    const float* p = m.at + j;
    for (long k = 0; k < depth; k++, p += m.rowStep) {
      const Vec w = splat(x[k * xStep]);
      s0 = madd(w, load(p), s0);
      s1 = madd(w, load(p + LANES), s1);
      s2 = madd(w, load(p + 2 * LANES), s2);
      s3 = madd(w, load(p + 3 * LANES), s3);
    }
    const Vec sums[4] = {s0, s1, s2, s3};
    for (int v = 0; v < 4; v++)
      for (int l = 0; l < LANES; l++) y[(j - first + v * LANES + l) * yStep] = sums[v][l];
  }
  for (; j < last; j += LANES) {
    const int width = last - j < LANES ? (int)(last - j) : LANES;
    Vec s = {};
    const float* p = m.at + j;
    if (width == LANES)
      for (long k = 0; k < depth; k++, p += m.rowStep) s = madd(splat(x[k * xStep]), load(p), s);
    else
      for (long k = 0; k < depth; k++, p += m.rowStep) s = madd(splat(x[k * xStep]), loadPart(p, width), s);
    for (int l = 0; l < width; l++) y[(j - first + l) * yStep] = s[l];
  }
}

}  // namespace kernel
