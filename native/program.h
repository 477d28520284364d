// A step of a graph as a list of words, run by every thread at once: each takes its share of every instruction, and
// waits for the others only where the program says so.
#pragma once
#include <stdint.h>

namespace kernel {

/** Waits until all threads of a run have come. */
typedef void (*Barrier)(void* context);

/** What one thread needs to run a program. */
struct Run {
  const int32_t* words;
  float* arena;
  /** Memory of this thread alone. */
  float* scratch;
  int thread, threads;
  Barrier barrier;
  void* context;
};

/** Sizes that the program's writer needs to know. */
struct Tiling {
  int32_t lanes, rows, columns, depth;
};

}  // namespace kernel
