// The kernels for WebAssembly: one thread, everything in the instance's own memory.
#include "run.h"

extern "C" {

__attribute__((export_name("run"))) void run(const int32_t* words, float* arena, float* scratch) {
  kernel::runProgram({words, arena, scratch, 0, 1, nullptr, nullptr});
}

__attribute__((export_name("tileRows"))) int tileRows() { return TILE_ROWS; }
__attribute__((export_name("tileColumns"))) int tileColumns() { return TILE_COLUMNS; }
__attribute__((export_name("depth"))) int depth() { return DEPTH; }

/** Where memory is free. */
extern unsigned char __heap_base;
__attribute__((export_name("free"))) int freeFrom() { return (int)(intptr_t)&__heap_base; }
}
