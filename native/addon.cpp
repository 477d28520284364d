// The kernels as a Node addon: opens an arena with its threads, and runs programs in it, at once or beside the event
// loop. What a program does is decided in TypeScript (src/tensor/native); nothing here knows a graph.
#include <node_api.h>

#include <memory>
#include <string>

#include "operations.h"
#include "threads.h"

#define DECLARE(isa)            \
  extern "C" void run_##isa(const void*); \
  extern "C" void tiling_##isa(void*);

DECLARE(baseline)
#if defined(__x86_64__)
DECLARE(avx2)
DECLARE(avx512)
#endif

namespace {

struct Kernels {
  const char* name;
  bool present;
  void (*run)(const void*);
  void (*tiling)(void*);
};

/** Best first. */
const std::vector<Kernels>& kernels() {
  static const std::vector<Kernels> all = {
#if defined(__x86_64__)
      {"avx512",
       __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq"),
       run_avx512, tiling_avx512},
      {"avx2", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), run_avx2, tiling_avx2},
      {"sse2", true, run_baseline, tiling_baseline},
#elif defined(__aarch64__)
      {"neon", true, run_baseline, tiling_baseline},
#else
      {"scalar", true, run_baseline, tiling_baseline},
#endif
  };
  return all;
}

/** An arena and the threads that work in it. */
struct Executor {
  const Kernels& kernels;
  Threads threads;
  float* arena;
  napi_ref memory;
};

bool check(napi_env env, napi_status status) {
  if (status == napi_ok) return true;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, nullptr, "the kernels were called with arguments that they do not take");
  return false;
}
#define TRY(call) \
  if (!check(env, call)) return nullptr

template <size_t N>
bool arguments(napi_env env, napi_callback_info info, napi_value (&values)[N]) {
  size_t count = N;
  return check(env, napi_get_cb_info(env, info, &count, values, nullptr, nullptr)) &&
         check(env, count == N ? napi_ok : napi_invalid_arg);
}

napi_value text(napi_env env, const char* value) {
  napi_value result;
  napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &result);
  return result;
}

napi_value number(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

/** The data of a typed array of floats or 32-bit integers. */
void* data(napi_env env, napi_value array, napi_typedarray_type expected) {
  napi_typedarray_type type;
  void* start;
  const bool good = check(env, napi_get_typedarray_info(env, array, &type, nullptr, &start, nullptr, nullptr)) &&
                    check(env, type == expected ? napi_ok : napi_invalid_arg);
  return good ? start : nullptr;
}

/** kernels() → [{ name, lanes, rows, columns, depth }] of this machine, best first. */
napi_value listKernels(napi_env env, napi_callback_info) {
  napi_value list;
  TRY(napi_create_array(env, &list));
  uint32_t found = 0;
  for (const Kernels& k : kernels()) {
    if (!k.present) continue;
    kernel::Tiling tiling;
    k.tiling(&tiling);
    napi_value entry;
    TRY(napi_create_object(env, &entry));
    TRY(napi_set_named_property(env, entry, "name", text(env, k.name)));
    TRY(napi_set_named_property(env, entry, "lanes", number(env, tiling.lanes)));
    TRY(napi_set_named_property(env, entry, "rows", number(env, tiling.rows)));
    TRY(napi_set_named_property(env, entry, "columns", number(env, tiling.columns)));
    TRY(napi_set_named_property(env, entry, "depth", number(env, tiling.depth)));
    TRY(napi_set_element(env, list, found++, entry));
  }
  return list;
}

/** open(kernels' name, arena, offset in floats, scratch floats for each thread, threads, spin_us) → executor. */
napi_value open(napi_env env, napi_callback_info info) {
  napi_value values[6];
  if (!arguments(env, info, values)) return nullptr;
  char name[32];
  TRY(napi_get_value_string_utf8(env, values[0], name, sizeof name, nullptr));
  auto* arena = (float*)data(env, values[1], napi_float32_array);
  int32_t offset, scratch, threads, spin_us;
  TRY(napi_get_value_int32(env, values[2], &offset));
  TRY(napi_get_value_int32(env, values[3], &scratch));
  TRY(napi_get_value_int32(env, values[4], &threads));
  TRY(napi_get_value_int32(env, values[5], &spin_us));
  if (!arena) return nullptr;
  for (const Kernels& k : kernels()) {
    if (!k.present || std::string(k.name) != name) continue;
    napi_ref memory;
    TRY(napi_create_reference(env, values[1], 1, &memory));
    auto* executor = new Executor{k, {threads, spin_us, (size_t)scratch}, arena + offset, memory};
    napi_value result;
    const auto close = [](napi_env env, void* pointer, void*) {
      auto* executor = (Executor*)pointer;
      napi_delete_reference(env, executor->memory);
      delete executor;
    };
    TRY(napi_create_external(env, executor, close, nullptr, &result));
    return result;
  }
  napi_throw_error(env, nullptr, "no such kernels on this machine");
  return nullptr;
}

/** shift(arena) → floats to leave out so that the arena begins at a cache line. */
napi_value shift(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!arguments(env, info, values)) return nullptr;
  const auto start = (uintptr_t)data(env, values[0], napi_float32_array);
  return number(env, (int32_t)((64 - start % 64) % 64 / 4));
}

/** run(executor, words): the whole step, in this call. */
napi_value run(napi_env env, napi_callback_info info) {
  napi_value values[2];
  if (!arguments(env, info, values)) return nullptr;
  Executor* executor;
  TRY(napi_get_value_external(env, values[0], (void**)&executor));
  auto* words = (const int32_t*)data(env, values[1], napi_int32_array);
  if (words) executor->threads.run(executor->kernels.run, words, executor->arena);
  return nullptr;
}

/** A run beside the event loop; holds on to what it uses. */
struct Pending {
  Executor* executor;
  const int32_t* words;
  napi_ref used[2];
  napi_deferred deferred;
  napi_async_work work;
};

void finish(napi_env env, napi_status, void* pointer) {
  std::unique_ptr<Pending> pending((Pending*)pointer);
  napi_value nothing;
  napi_get_undefined(env, &nothing);
  napi_resolve_deferred(env, pending->deferred, nothing);
  for (napi_ref ref : pending->used) napi_delete_reference(env, ref);
  napi_delete_async_work(env, pending->work);
}

/** runBeside(executor, words) → promise. */
napi_value runBeside(napi_env env, napi_callback_info info) {
  napi_value values[2];
  if (!arguments(env, info, values)) return nullptr;
  auto pending = std::make_unique<Pending>();
  TRY(napi_get_value_external(env, values[0], (void**)&pending->executor));
  pending->words = (const int32_t*)data(env, values[1], napi_int32_array);
  if (!pending->words) return nullptr;
  for (int i = 0; i < 2; i++) TRY(napi_create_reference(env, values[i], 1, &pending->used[i]));
  napi_value promise;
  TRY(napi_create_promise(env, &pending->deferred, &promise));
  const auto work = [](napi_env, void* pointer) {
    auto* pending = (Pending*)pointer;
    pending->executor->threads.run(pending->executor->kernels.run, pending->words, pending->executor->arena);
  };
  TRY(napi_create_async_work(env, nullptr, text(env, "reverie"), work, finish, pending.get(), &pending->work));
  TRY(napi_queue_async_work(env, pending->work));
  pending.release();
  return promise;
}

}  // namespace

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"kernels", nullptr, listKernels, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"shift", nullptr, shift, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"open", nullptr, open, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"run", nullptr, run, nullptr, nullptr, nullptr, napi_default, nullptr},
      {"runBeside", nullptr, runBeside, nullptr, nullptr, nullptr, napi_default, nullptr},
  };
  TRY(napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions));
  TRY(napi_set_named_property(env, exports, "elementwise", text(env, ELEMENTWISE(NAME))));
  TRY(napi_set_named_property(env, exports, "instructions", text(env, INSTRUCTIONS(NAME))));
  TRY(napi_set_named_property(env, exports, "source", text(env, SOURCE_HASH)));
  return exports;
}
