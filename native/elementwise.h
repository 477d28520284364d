// Chains of elementwise operations in one pass. The chain is taken a strip at a time, each operation a loop over a
// strip that stays in the first-level cache: interpreting costs some nanoseconds a strip, and what lies between two
// operations of the chain never reaches memory (the scheme of numexpr, and of vectorised database engines: Boncz,
// Zukowski and Nes, "MonetDB/X100: Hyper-Pipelining Query Execution", 2005).
#pragma once
#include "functions.h"
#include "operations.h"

namespace kernel {

/** Where a chain finds an operand or leaves a result: one slot, in words of the program. */
enum SlotKind { TEMPORARY, FLAT, SCALAR, LOADED, ROW, STORED, PRODUCT };
struct Slot {
  int32_t kind;
  /** Strip of those that have one. */
  int32_t strip;
  /** In the arena, in floats. */
  int32_t offset;
  int32_t stride[4];
};
struct Operation {
  int32_t code, to, a, b, c;
  float x, y;
};
/** A chain over a domain of [any, d1, d2, d3] elements, followed by its slots and its operations. */
struct Chain {
  int32_t elements;
  /** Elements are shared out among threads by whole rows. */
  int32_t rows;
  int32_t strip;
  int32_t d1, d2, d3;
  int32_t slots, operations;
};

#define MAX_SLOTS 128

template <class F>
INLINE void map(float* to, const float* a, const float* b, const float* c, long n, F f) {
  long i = 0;
  for (; i + 4 * LANES <= n; i += 4 * LANES)
#pragma GCC unroll 4
    for (int v = 0; v < 4 * LANES; v += LANES) store(to + i + v, f(load(a + i + v), load(b + i + v), load(c + i + v)));
  for (; i + LANES <= n; i += LANES) store(to + i, f(load(a + i), load(b + i), load(c + i)));
  if (i < n) {
    const int rest = (int)(n - i);
    storePart(to + i, f(loadPart(a + i, rest), loadPart(b + i, rest), loadPart(c + i, rest)), rest);
  }
}

INLINE Vec flag(VecInt mask) { return select(mask, splat(1.0f), splat(0.0f)); }

static void apply(const Operation& op, float* to, const float* a, const float* b, const float* c, long n) {
  const float x = op.x, y = op.y;
#define CASE(name, value) \
  case name:              \
    return map(to, a, b, c, n, [x, y](Vec a, Vec b, Vec c) { (void)x, (void)y, (void)b, (void)c; return value; });
  switch (op.code) {
    CASE(OP_neg, -a)
    CASE(OP_exp, exponential(a))
    CASE(OP_log, logarithm(a))
    CASE(OP_tanh, hyperbolicTangent(a))
    CASE(OP_sigmoid, sigmoid(a))
    CASE(OP_softplus, softplus(a))
    CASE(OP_relu, select(a < 0.0f, splat(0.0f), a))
    CASE(OP_elu, select(a > 0.0f, a, exponentialMinusOne(a)))
    CASE(OP_sqrt, squareRoot(a))
    CASE(OP_abs, magnitude(a))
    CASE(OP_sign, flag(a > 0.0f) - flag(a < 0.0f))
    CASE(OP_reciprocal, 1.0f / a)
    CASE(OP_add, a + b)
    CASE(OP_sub, a - b)
    CASE(OP_mul, a* b)
    CASE(OP_div, a / b)
    CASE(OP_min, minimum(a, b))
    CASE(OP_max, maximum(a, b))
    CASE(OP_less, flag(a < b))
    CASE(OP_greater, flag(a > b))
    CASE(OP_equal, flag(a == b))
    CASE(OP_where, select(a != 0.0f, b, c))
    CASE(OP_pow, power(a, x))
    CASE(OP_clip, minimum(maximum(a, splat(x)), splat(y)))
    CASE(OP_reluGradient, select(b > 0.0f, a, splat(0.0f)))
    CASE(OP_copy, a)
    CASE(OP_multiplyAdd, madd(a, b, c))
    CASE(OP_subtractProduct, madd(-a, b, c))
    default:
      __builtin_trap();
  }
#undef CASE
}

/** Walks the rows of a strided operand beside n elements of a contiguous strip, from element `start` on. */
template <class F>
INLINE void walk(const Chain& d, const Slot& slot, long start, long n, F run) {
  long i3 = start % d.d3, rest = start / d.d3;
  long i2 = rest % d.d2;
  rest /= d.d2;
  long i1 = rest % d.d1, i0 = rest / d.d1;
  for (long done = 0; done < n;) {
    const long length = d.d3 - i3 < n - done ? d.d3 - i3 : n - done;
    run(i0 * slot.stride[0] + i1 * slot.stride[1] + i2 * slot.stride[2] + i3 * slot.stride[3], done, length);
    done += length;
    i3 = 0;
    if (++i2 == d.d2) {
      i2 = 0;
      if (++i1 == d.d1) {
        i1 = 0;
        i0++;
      }
    }
  }
}

static void gather(const Chain& d, const Slot& slot, const float* from, float* strip, long start, long n) {
  const long step = slot.stride[3];
  walk(d, slot, start, n, [&](long at, long done, long length) {
    const float* p = from + at;
    float* to = strip + done;
    if (step == 1)
      copy(to, p, length);
    else if (step == 0)
      fill(to, *p, length);
    else
      for (long i = 0; i < length; i++) to[i] = p[i * step];
  });
}

static void scatter(const Chain& d, const Slot& slot, float* to, const float* strip, long start, long n) {
  const long step = slot.stride[3];
  walk(d, slot, start, n, [&](long at, long done, long length) {
    if (step == 1)
      copy(to + at, strip + done, length);
    else
      for (long i = 0; i < length; i++) to[at + i * step] = strip[done + i];
  });
}

/**
 * Runs a chain over elements [begin, end).
 * @param strips memory of this thread for strips, `chain.strip` floats each
 * @param product what a PRODUCT slot reads: values of a matrix product from element `begin` on
 */
static void runChain(const Chain& chain, float* arena, float* strips, float* product, long begin, long end) {
  const Slot* slots = (const Slot*)(&chain + 1);
  const Operation* operations = (const Operation*)(slots + chain.slots);
  float* at[MAX_SLOTS];
  const long length = chain.strip;
  for (int s = 0; s < chain.slots; s++) {
    const Slot& slot = slots[s];
    at[s] = strips + slot.strip * length;
    if (slot.kind == SCALAR) fill(at[s], arena[slot.offset], length);
    // A strip holds whole rows, so that what is the same for every row is read once.
    if (slot.kind == ROW) gather(chain, slot, arena + slot.offset, at[s], begin, length);
  }
  for (long e = begin; e < end; e += length) {
    const long n = end - e < length ? end - e : length;
    for (int s = 0; s < chain.slots; s++) {
      const Slot& slot = slots[s];
      if (slot.kind == FLAT) at[s] = arena + slot.offset + e;
      if (slot.kind == PRODUCT) at[s] = product + (e - begin);
      if (slot.kind == LOADED) gather(chain, slot, arena + slot.offset, at[s], e, n);
    }
    for (int o = 0; o < chain.operations; o++) {
      const Operation& op = operations[o];
      apply(op, at[op.to], at[op.a], at[op.b], at[op.c], n);
    }
    for (int s = 0; s < chain.slots; s++)
      if (slots[s].kind == STORED) scatter(chain, slots[s], arena + slots[s].offset, at[s], e, n);
  }
}

}  // namespace kernel
