// The interpreter of programs. Compiled once for each instruction set: the including file names the functions.
#include "program.h"
#include "product.h"
#include "reduce.h"

namespace kernel {

/** Where a thread's share of a range begins: whole rows, the same for everything that has as many rows. */
INLINE long share(long rows, int thread, int threads) { return rows * thread / threads; }

struct Pack {
  int32_t from, columnStep, depthStep, depth, columns, to;
};

/** Where a product's result goes: the chain that follows it reads it, or it goes to the arena, or both. */
struct Product {
  int32_t rows, unit;
  int32_t height, columns, depth;
  int32_t a, aRowStep, aColumnStep;
  int32_t panels;
  int32_t to, toStep, blocks, chainWords;
};

struct LocalProduct {
  int32_t batches, height, columns, depth;
  int32_t a, aRowStep, aColumnStep, aBatchStep;
  int32_t b, bRowStep, bColumnStep, bBatchStep;
  int32_t to, toStep, toBatchStep;
  /** What threads share out: 0 columns, 1 rows, 2 batches. */
  int32_t split, rows;
};

struct VectorProduct {
  int32_t rows, length, depth;
  int32_t matrix, rowStep, columnStep;
  int32_t vector, vectorStep;
  int32_t to, toStep, chainWords;
};

/** Results of a product that only its chain reads are kept in scratch, not in the arena. */
#define NOWHERE (-1)

struct Worker {
  const Run& run;
  float* arena;

  long first(long rows) const { return share(rows, run.thread, run.threads); }
  long last(long rows) const { return share(rows, run.thread + 1, run.threads); }
  const float* at(int32_t offset) const { return arena + offset; }

  void packB(const Pack& p) const {
    const long panels = (p.columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const long from = first(panels), to = last(panels);
    packPanels({at(p.from), p.columnStep, p.depthStep}, p.columns, p.depth, from, to,
               arena + p.to + from * p.depth * TILE_COLUMNS);
  }

  void product(const Product& p) const {
    const Chain* chain = p.chainWords ? (const Chain*)(&p + 1) : nullptr;
    float* packed = run.scratch;
    float* kept = packed + (long)p.blocks * TILE_ROWS * DEPTH;
    float* strips = kept + (p.to == NOWHERE ? (long)p.blocks * TILE_ROWS * p.columns : 0);
    const long group = (long)p.blocks * TILE_ROWS;
    const long end = last(p.rows) * p.unit;
    for (long i = first(p.rows) * p.unit; i < end; i += group) {
      const long rows = end - i < group ? end - i : group;
      float* c = p.to == NOWHERE ? kept : arena + p.to + i * p.toStep;
      const long step = p.to == NOWHERE ? p.columns : p.toStep;
      multiply({at(p.a) + i * p.aRowStep, p.aRowStep, p.aColumnStep}, rows, p.depth, at(p.panels), p.columns, c, step, packed,
               p.blocks);
      if (chain) runChain(*chain, arena, strips, kept, i * p.columns, (i + rows) * p.columns);
    }
  }

  void localProduct(const LocalProduct& p) const {
    const long panels = (p.columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const long batch0 = p.split == 2 ? first(p.rows) * (p.batches / p.rows) : 0;
    const long batch1 = p.split == 2 ? last(p.rows) * (p.batches / p.rows) : p.batches;
    const long panel0 = p.split == 0 ? first(panels) : 0, panel1 = p.split == 0 ? last(panels) : panels;
    const long row0 = p.split == 1 ? first(p.height) : 0, row1 = p.split == 1 ? last(p.height) : p.height;
    if (panel0 == panel1 || row0 == row1) return;
    float* packed = run.scratch;
    float* b = packed + 4L * TILE_ROWS * DEPTH;
    const long column0 = panel0 * TILE_COLUMNS;
    const long columns = (panel1 * TILE_COLUMNS < p.columns ? panel1 * TILE_COLUMNS : p.columns) - column0;
    for (long n = batch0; n < batch1; n++) {
      packPanels({at(p.b) + n * p.bBatchStep, p.bColumnStep, p.bRowStep}, p.columns, p.depth, panel0, panel1, b);
      multiply({at(p.a) + n * p.aBatchStep + row0 * p.aRowStep, p.aRowStep, p.aColumnStep}, row1 - row0, p.depth, b, columns,
               arena + p.to + n * p.toBatchStep + row0 * p.toStep + column0, p.toStep, packed, 4);
    }
  }

  template <class F>
  void vectorProduct(const VectorProduct& p, F multiply) const {
    const long unit = p.length / p.rows;
    const long from = first(p.rows) * unit, to = last(p.rows) * unit;
    if (from == to) return;
    float* kept = run.scratch;
    float* y = p.to == NOWHERE ? kept : arena + p.to + from * p.toStep;
    multiply(Matrix{at(p.matrix), p.rowStep, p.columnStep}, at(p.vector), p.vectorStep, p.depth, y,
             p.to == NOWHERE ? 1 : p.toStep, from, to);
    if (p.chainWords) runChain(*(const Chain*)(&p + 1), arena, kept + (p.to == NOWHERE ? to - from : 0), kept, from, to);
  }

  void chain(const Chain& c) const {
    const long unit = c.elements / c.rows;
    runChain(c, arena, run.scratch, nullptr, first(c.rows) * unit, last(c.rows) * unit);
  }

  void reduction(const Reduction& r) const {
    const long unit = (long)r.kept[0] * r.kept[1] * r.kept[2] / r.rows;
    reduce(r, arena, first(r.rows) * unit, last(r.rows) * unit);
  }

  void rows(const Rows& r) const {
    const long unit = r.count / r.rows;
    rowsOf(r, arena, first(r.rows) * unit, last(r.rows) * unit);
  }
};

static void runProgram(const Run& run) {
  const Worker worker{run, run.arena};
  for (const int32_t* word = run.words;; word += word[1]) {
    const int32_t* operands = word + 2;
    switch (word[0]) {
      case DO_end:
        return;
      case DO_barrier:
        if (run.threads > 1) run.barrier(run.context);
        break;
      case DO_pack:
        worker.packB(*(const Pack*)operands);
        break;
      case DO_product:
        worker.product(*(const Product*)operands);
        break;
      case DO_localProduct:
        worker.localProduct(*(const LocalProduct*)operands);
        break;
      case DO_dot:
        worker.vectorProduct(*(const VectorProduct*)operands, dotRows);
        break;
      case DO_combine:
        worker.vectorProduct(*(const VectorProduct*)operands, combineRows);
        break;
      case DO_chain:
        worker.chain(*(const Chain*)operands);
        break;
      case DO_reduction:
        worker.reduction(*(const Reduction*)operands);
        break;
      case DO_rows:
        worker.rows(*(const Rows*)operands);
        break;
      default:
        __builtin_trap();
    }
  }
}

}  // namespace kernel
