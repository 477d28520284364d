// Threads that run a program together. Between two instructions they wait for one another by spinning, for a stated
// time at most, and then sleep: what shares the processor with a learner, a simulation say, gets it back.
#pragma once
#include <stdint.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "program.h"

#if defined(__linux__)
#include <sched.h>
#endif

#if defined(__x86_64__)
#include <immintrin.h>
#define PAUSE() _mm_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE()
#endif

/** Denormal numbers count as 0 while this lives: they cost a hundred times as much and mean nothing here. */
class FlushDenormals {
#if defined(__x86_64__)
  unsigned before = _mm_getcsr();

 public:
  FlushDenormals() { _mm_setcsr(before | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before); }
#elif defined(__aarch64__)
  uint64_t before;

 public:
  FlushDenormals() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" ::"r"(before | (1ull << 24)));
  }
  ~FlushDenormals() { __asm__ volatile("msr fpcr, %0" ::"r"(before)); }
#endif
};

/** Numbers of the processors that the calling thread may run on; none where the system does not tell. */
inline std::vector<int> processors() {
  std::vector<int> found;
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
    for (int i = 0; i < CPU_SETSIZE; i++)
      if (CPU_ISSET(i, &allowed)) found.push_back(i);
#endif
  return found;
}

/** Keeps the calling thread on one processor while this lives. */
class Kept {
#if defined(__linux__)
  cpu_set_t before;
  bool kept;

 public:
  explicit Kept(int processor) {
    cpu_set_t one;
    CPU_ZERO(&one);
    if (processor >= 0) CPU_SET(processor, &one);
    kept = processor >= 0 && sched_getaffinity(0, sizeof before, &before) == 0 &&
           sched_setaffinity(0, sizeof one, &one) == 0;
  }
  ~Kept() {
    if (kept) sched_setaffinity(0, sizeof before, &before);
  }
#else
 public:
  explicit Kept(int) {}
#endif
};

/** Waits until a counter moves on: spins for a while, then sleeps. */
class Signal {
  std::atomic<uint32_t> count{0};
  std::atomic<int> asleep{0};

 public:
  uint32_t now() const { return count.load(std::memory_order_acquire); }

  void wait(uint32_t old, int spin_us) {
    const auto start = std::chrono::steady_clock::now();
    const auto limit = std::chrono::microseconds(spin_us);
    for (int i = 0; count.load(std::memory_order_acquire) == old; i++) {
      PAUSE();
      if (i % 64 < 63 || std::chrono::steady_clock::now() - start < limit) continue;
      asleep.fetch_add(1);
      while (count.load() == old) count.wait(old);
      asleep.fetch_sub(1);
      return;
    }
  }

  void send() {
    count.fetch_add(1);
    if (asleep.load() > 0) count.notify_all();
  }
};

class Threads {
  const int count, spin_us;
  const size_t scratchBytes;
  /** Where each thread runs: as many threads as processors are else put on one together, for milliseconds. */
  const std::vector<int> places;
  std::vector<std::thread> workers;
  std::vector<float*> scratch;
  Signal started, met;
  std::atomic<int> arrived{0};
  bool stopping = false;
  void (*task)(const void*) = nullptr;
  const int32_t* words = nullptr;
  float* arena = nullptr;

  /** How long a thread spins at a barrier, where the others are at work: they come soon, or the machine is busy. */
  static constexpr int BARRIER_SPIN_US = 50;

  static void meet(void* self) { ((Threads*)self)->meet(); }

  void meet() {
    const uint32_t old = met.now();
    if (arrived.fetch_add(1) + 1 == count) {
      arrived.store(0);
      met.send();
    } else {
      met.wait(old, BARRIER_SPIN_US);
    }
  }

  int placeOf(int thread) const { return count > 1 && (int)places.size() == count ? places[thread] : -1; }

  void share(int thread) {
    FlushDenormals flush;
    const kernel::Run run = {words, arena, scratch[thread], thread, count, meet, this};
    task(&run);
  }

  void work(int thread) {
    const Kept kept(placeOf(thread));
    for (uint32_t seen = 0;; seen++) {
      started.wait(seen, spin_us);
      if (stopping) return;
      share(thread);
      meet();
    }
  }

 public:
  /** @param spin_us how long idle threads spin between runs before they sleep */
  Threads(int count, int spin_us, size_t scratchFloats)
      : count(count), spin_us(spin_us), scratchBytes((scratchFloats * 4 + 4095) / 4096 * 4096 + 4096), places(processors()) {
    for (int i = 0; i < count; i++) scratch.push_back((float*)aligned_alloc(4096, scratchBytes));
    for (int i = 1; i < count; i++) workers.emplace_back([this, i] { work(i); });
  }

  ~Threads() {
    stopping = true;
    started.send();
    for (auto& worker : workers) worker.join();
    for (float* memory : scratch) free(memory);
  }

  /** Runs a program on all threads, the caller's among them. */
  void run(void (*runOne)(const void*), const int32_t* programWords, float* memory) {
    task = runOne;
    words = programWords;
    arena = memory;
    const Kept kept(placeOf(0));
    if (count > 1) started.send();
    share(0);
    if (count > 1) meet();
  }
};
