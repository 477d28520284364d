// The kernels for one instruction set. The build compiles this file once for each that the machine's family may have,
// with KERNELS as a name of its own for everything in it, and the addon chooses at run time.
#define kernel KERNELS
#include "run.h"
#undef kernel

extern "C" {
#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)

void JOIN(run, KERNELS)(const void* run) { KERNELS::runProgram(*(const KERNELS::Run*)run); }

void JOIN(tiling, KERNELS)(void* tiling) {
  *(KERNELS::Tiling*)tiling = {LANES, TILE_ROWS, TILE_COLUMNS, DEPTH};
}
}
