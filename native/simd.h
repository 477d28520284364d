// A vector of single-precision numbers as wide as the instruction set that this file is compiled for, by the vector
// extensions that GCC and Clang share: the same lines become AVX-512, AVX2, NEON or WebAssembly SIMD.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__AVX512F__)
#define LANES 16
// 28 sums, two vectors of B and a broadcast of A that the multiplication takes from memory: 32 registers.
#define TILE_ROWS 14
#elif defined(__AVX2__)
#define LANES 8
// 12 sums of 16 registers.
#define TILE_ROWS 6
#elif defined(__aarch64__)
#define LANES 4
#define TILE_ROWS 12
#elif defined(__wasm__)
#define LANES 4
// 8 sums: with more, V8 keeps some of them in memory, and the product takes twice as long.
#define TILE_ROWS 4
#else
#define LANES 4
#define TILE_ROWS 6
#endif
#define TILE_VECTORS 2
#define TILE_COLUMNS (TILE_VECTORS * LANES)

#define INLINE static inline __attribute__((always_inline))

namespace kernel {

typedef float Vec __attribute__((vector_size(LANES * 4), may_alias));
typedef float VecUnaligned __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t VecInt __attribute__((vector_size(LANES * 4), may_alias));
typedef float Quad __attribute__((vector_size(16), may_alias));
typedef float QuadUnaligned __attribute__((vector_size(16), aligned(4), may_alias));

INLINE Vec load(const float* p) { return *(const VecUnaligned*)p; }
INLINE void store(float* p, Vec v) { *(VecUnaligned*)p = v; }
// x − 0 keeps the sign of a negative zero, which 0 + x would not.
INLINE Vec splat(float x) { return x - Vec{}; }

INLINE Vec loadPart(const float* p, int n) {
  Vec v = {};
  __builtin_memcpy(&v, p, (size_t)n * 4);
  return v;
}
INLINE void storePart(float* p, Vec v, int n) { __builtin_memcpy(p, &v, (size_t)n * 4); }

/** a b + c. */
INLINE Vec madd(Vec a, Vec b, Vec c) {
#if defined(__wasm_relaxed_simd__)
  return __builtin_wasm_relaxed_madd_f32x4(a, b, c);
#else
  return a * b + c;
#endif
}

INLINE Vec select(VecInt mask, Vec a, Vec b) { return mask ? a : b; }
INLINE Vec minimum(Vec a, Vec b) { return select((a < b) | (a != a), a, b); }
INLINE Vec maximum(Vec a, Vec b) { return select((a > b) | (a != a), a, b); }
INLINE Vec magnitude(Vec x) { return (Vec)((VecInt)x & 0x7fffffff); }
INLINE Vec squareRoot(Vec x) {
#if defined(__wasm_simd128__)
  return __builtin_wasm_sqrt_f32x4(x);
#endif
  Vec y;
  for (int i = 0; i < LANES; i++) y[i] = __builtin_sqrtf(x[i]);
  return y;
}

/** The lanes of a vector, added in a fixed tree: the same bits on every run. */
INLINE float total(Vec v) {
  float lane[LANES];
  __builtin_memcpy(lane, &v, sizeof lane);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) lane[i] += lane[i + width];
  return lane[0];
}
INLINE float largest(Vec v) {
  float top = v[0];
  for (int i = 1; i < LANES; i++) top = v[i] > top || v[i] != v[i] ? v[i] : top;
  return top;
}

INLINE void copy(float* to, const float* from, long n) {
  long i = 0;
  for (; i + LANES <= n; i += LANES) store(to + i, load(from + i));
  for (; i + 4 <= n; i += 4) *(QuadUnaligned*)(to + i) = *(const QuadUnaligned*)(from + i);
  for (; i < n; i++) to[i] = from[i];
}
INLINE void fill(float* to, float x, long n) {
  long i = 0;
  for (; i + LANES <= n; i += LANES) store(to + i, splat(x));
  for (; i < n; i++) to[i] = x;
}

}  // namespace kernel
