// The kernels for WebAssembly: everything lies in one memory, which each thread's instance shares. Threads are the
// host's (src/kernels/wasm.ts); here is how they wait for one another within a program.
#include "run.h"

namespace {

/** In the shared memory: the same for all instances. */
uint32_t arrived = 0, met = 0, asleep = 0;

/** How often a thread looks before it sleeps: for some tens of microseconds. WebAssembly has no clock. */
constexpr int SPINS = 20000;

/** Waits until all threads of a run have come: spins for a while, then sleeps. */
void meet(void* context) {
  const uint32_t threads = *(const uint32_t*)context;
  const uint32_t old = __atomic_load_n(&met, __ATOMIC_SEQ_CST);
  if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == threads) {
    __atomic_store_n(&arrived, 0, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&met, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&asleep, __ATOMIC_SEQ_CST)) __builtin_wasm_memory_atomic_notify((int*)&met, ~0u);
    return;
  }
  for (int i = 0; i < SPINS; i++)
    if (__atomic_load_n(&met, __ATOMIC_ACQUIRE) != old) return;
  __atomic_add_fetch(&asleep, 1, __ATOMIC_SEQ_CST);
  while (__atomic_load_n(&met, __ATOMIC_SEQ_CST) == old) __builtin_wasm_memory_atomic_wait32((int*)&met, (int)old, -1);
  __atomic_sub_fetch(&asleep, 1, __ATOMIC_SEQ_CST);
}

}  // namespace

extern "C" {

/** One thread's part of a program. With several, each returns once all are done. */
__attribute__((export_name("run"))) void run(const int32_t* words, float* arena, float* scratch, int thread, int threads) {
  uint32_t count = (uint32_t)threads;
  kernel::runProgram({words, arena, scratch, thread, threads, meet, &count});
  if (threads > 1) meet(&count);
}

__attribute__((export_name("tileRows"))) int tileRows() { return TILE_ROWS; }
__attribute__((export_name("tileColumns"))) int tileColumns() { return TILE_COLUMNS; }
__attribute__((export_name("depth"))) int depth() { return DEPTH; }

/** Where memory is free. */
extern unsigned char __heap_base;
__attribute__((export_name("free"))) int freeFrom() { return (int)(intptr_t)&__heap_base; }
}
