/*
 * Cyclone DDS for Node: participants, and writers and readers of CDR bytes. Entities are the numbers
 * that Cyclone itself gives them. `src/ros/transport/cycloneBus.ts` is the one that calls this.
 */
#define NAPI_VERSION 8
#include <node_api.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "rawType.h"

enum { MAX_ARGUMENTS = 7, NAME_LENGTH = 1024, TAKE_AT_ONCE = 64, TAKE_AT_MOST = 512, GID_BYTES = 16 };

/* How long a reliable writer waits for readers that lag, when it keeps every message. */
static const dds_duration_t MAX_BLOCKING = DDS_MSECS(500);

#define CHECK(call)                                   \
  do {                                                \
    if ((call) != napi_ok) return fail(env, #call);   \
  } while (0)

static napi_value fail(napi_env env, const char *what) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) napi_throw_error(env, NULL, what);
  return NULL;
}

static napi_value dds_fail(napi_env env, const char *what, dds_return_t code) {
  char text[2 * NAME_LENGTH];
  snprintf(text, sizeof text, "%s: %s", what, dds_strretcode(-code));
  napi_throw_error(env, NULL, text);
  return NULL;
}

static napi_value number(napi_env env, int32_t value) {
  napi_value result;
  CHECK(napi_create_int32(env, value, &result));
  return result;
}

static bool arguments(napi_env env, napi_callback_info info, size_t count, napi_value *into) {
  size_t given = count;
  return napi_get_cb_info(env, info, &given, into, NULL, NULL) == napi_ok && given == count;
}

static bool text(napi_env env, napi_value value, char *into) {
  size_t length;
  return napi_get_value_string_utf8(env, value, into, NAME_LENGTH, &length) == napi_ok;
}

static bool entity(napi_env env, napi_value value, dds_entity_t *into) {
  return napi_get_value_int32(env, value, into) == napi_ok;
}

/* createDomain(id, configuration): entity */
static napi_value create_domain(napi_env env, napi_callback_info info) {
  napi_value a[2];
  uint32_t id;
  char config[NAME_LENGTH];
  if (!arguments(env, info, 2, a) || napi_get_value_uint32(env, a[0], &id) != napi_ok || !text(env, a[1], config))
    return fail(env, "createDomain(id, configuration)");
  dds_entity_t domain = dds_create_domain(id, config);
  return domain < 0 ? dds_fail(env, "domain", domain) : number(env, domain);
}

/* createParticipant(domain id, user data): entity */
static napi_value create_participant(napi_env env, napi_callback_info info) {
  napi_value a[2];
  uint32_t id;
  char user_data[NAME_LENGTH];
  if (!arguments(env, info, 2, a) || napi_get_value_uint32(env, a[0], &id) != napi_ok || !text(env, a[1], user_data))
    return fail(env, "createParticipant(domain, userData)");
  dds_qos_t *qos = dds_create_qos();
  dds_qset_userdata(qos, user_data, strlen(user_data));
  dds_entity_t participant = dds_create_participant(id, qos, NULL);
  dds_delete_qos(qos);
  return participant < 0 ? dds_fail(env, "participant", participant) : number(env, participant);
}

struct endpoint {
  dds_entity_t participant;
  char topic[NAME_LENGTH];
  char type[NAME_LENGTH];
  bool reliable;
  bool transient_local;
  /* 0: all. */
  int32_t depth;
  char user_data[NAME_LENGTH];
};

/* participant, topic, type, reliable, transientLocal, depth, userData */
static bool endpoint_arguments(napi_env env, const napi_value *a, struct endpoint *into) {
  return entity(env, a[0], &into->participant) && text(env, a[1], into->topic) && text(env, a[2], into->type) &&
         napi_get_value_bool(env, a[3], &into->reliable) == napi_ok &&
         napi_get_value_bool(env, a[4], &into->transient_local) == napi_ok &&
         napi_get_value_int32(env, a[5], &into->depth) == napi_ok && text(env, a[6], into->user_data);
}

static dds_qos_t *endpoint_qos(const struct endpoint *e) {
  dds_qos_t *qos = dds_create_qos();
  dds_qset_reliability(qos, e->reliable ? DDS_RELIABILITY_RELIABLE : DDS_RELIABILITY_BEST_EFFORT, MAX_BLOCKING);
  dds_qset_durability(qos, e->transient_local ? DDS_DURABILITY_TRANSIENT_LOCAL : DDS_DURABILITY_VOLATILE);
  dds_history_kind_t history = e->depth == 0 ? DDS_HISTORY_KEEP_ALL : DDS_HISTORY_KEEP_LAST;
  dds_qset_history(qos, history, e->depth);
  if (e->transient_local)
    dds_qset_durability_service(qos, 0, history, e->depth == 0 ? DDS_LENGTH_UNLIMITED : e->depth, DDS_LENGTH_UNLIMITED,
                                DDS_LENGTH_UNLIMITED, DDS_LENGTH_UNLIMITED);
  dds_qset_writer_data_lifecycle(qos, false);
  dds_qset_userdata(qos, e->user_data, strlen(e->user_data));
  return qos;
}

/* The type is that which the topic came to use, and lives as long as the topic. */
static dds_entity_t create_topic(const struct endpoint *e, struct ddsi_sertype **type) {
  *type = raw_type_new(e->type);
  if (!*type) return DDS_RETCODE_OUT_OF_RESOURCES;
  dds_entity_t topic = dds_create_topic_sertype(e->participant, e->topic, type, NULL, NULL, NULL);
  if (topic < 0) ddsi_sertype_unref(*type);
  return topic;
}

struct writer {
  dds_entity_t entity;
  struct ddsi_sertype *type;
};

static void free_writer(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

/* createWriter(…endpoint): an object for `write`, with `entity` and `topic` */
static napi_value create_writer(napi_env env, napi_callback_info info) {
  napi_value a[MAX_ARGUMENTS];
  struct endpoint e;
  if (!arguments(env, info, 7, a) || !endpoint_arguments(env, a, &e)) return fail(env, "createWriter(…)");
  struct writer *writer = calloc(1, sizeof *writer);
  dds_entity_t topic = create_topic(&e, &writer->type);
  dds_qos_t *qos = endpoint_qos(&e);
  writer->entity = topic < 0 ? topic : dds_create_writer(e.participant, topic, qos, NULL);
  dds_delete_qos(qos);
  /* The writer keeps its topic alive. */
  if (topic >= 0) dds_delete(topic);
  if (writer->entity < 0) {
    dds_return_t code = writer->entity;
    free(writer);
    return dds_fail(env, e.topic, code);
  }
  napi_value result, id;
  CHECK(napi_create_object(env, &result));
  CHECK(napi_wrap(env, result, writer, free_writer, NULL, NULL));
  CHECK(napi_create_int32(env, writer->entity, &id));
  CHECK(napi_set_named_property(env, result, "entity", id));
  return result;
}

/* write(writer, bytes) */
static napi_value write_bytes(napi_env env, napi_callback_info info) {
  napi_value a[2];
  struct writer *writer;
  napi_typedarray_type kind;
  size_t size;
  void *bytes;
  if (!arguments(env, info, 2, a) || napi_unwrap(env, a[0], (void **)&writer) != napi_ok ||
      napi_get_typedarray_info(env, a[1], &kind, &size, &bytes, NULL, NULL) != napi_ok || kind != napi_uint8_array)
    return fail(env, "write(writer, Uint8Array)");
  struct ddsi_serdata *sample = raw_sample_new(writer->type, bytes, size);
  if (!sample) return dds_fail(env, "write", DDS_RETCODE_OUT_OF_RESOURCES);
  dds_return_t written = dds_writecdr(writer->entity, sample);
  return written < 0 ? dds_fail(env, "write", written) : NULL;
}

struct reader {
  dds_entity_t entity;
  napi_threadsafe_function arrived;
  /* One call into JavaScript is under way for all that has come by then. */
  atomic_flag called;
};

static void on_data(dds_entity_t entity, void *data) {
  (void)entity;
  struct reader *reader = data;
  if (!atomic_flag_test_and_set(&reader->called)) napi_call_threadsafe_function(reader->arrived, NULL, napi_tsfn_nonblocking);
}

static void deliver(napi_env env, napi_value callback, const struct ddsi_serdata *sample) {
  napi_value buffer, global;
  size_t size;
  const void *bytes = raw_sample_bytes(sample, &size);
  if (napi_create_buffer_copy(env, size, bytes, NULL, &buffer) != napi_ok || napi_get_global(env, &global) != napi_ok)
    return;
  if (napi_call_function(env, global, callback, 1, &buffer, NULL) == napi_pending_exception) {
    napi_value error;
    napi_get_and_clear_last_exception(env, &error);
    napi_fatal_exception(env, error);
  }
}

/* On the JavaScript thread: takes what has come, but not so much at once that nothing else gets its turn. */
static void take(napi_env env, napi_value callback, void *context, void *data) {
  (void)data;
  struct reader *reader = context;
  if (!env) return;
  atomic_flag_clear(&reader->called);
  for (int taken = 0;;) {
    struct ddsi_serdata *samples[TAKE_AT_ONCE] = {NULL};
    dds_sample_info_t infos[TAKE_AT_ONCE];
    int32_t count = dds_takecdr(reader->entity, samples, TAKE_AT_ONCE, infos, DDS_ANY_STATE);
    for (int32_t i = 0; i < count; i++) {
      napi_handle_scope scope;
      napi_open_handle_scope(env, &scope);
      if (infos[i].valid_data) deliver(env, callback, samples[i]);
      napi_close_handle_scope(env, scope);
      ddsi_serdata_unref(samples[i]);
    }
    if (count < TAKE_AT_ONCE) return;
    taken += count;
    if (taken >= TAKE_AT_MOST) {
      on_data(reader->entity, reader);
      return;
    }
  }
}

static void free_reader(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  free(data);
}

/* createReader(…endpoint, onData): entity and a handle that keeps it */
static napi_value create_reader(napi_env env, napi_callback_info info) {
  napi_value a[MAX_ARGUMENTS + 1], name;
  struct endpoint e;
  if (!arguments(env, info, 8, a) || !endpoint_arguments(env, a, &e)) return fail(env, "createReader(…)");
  struct reader *reader = calloc(1, sizeof *reader);
  CHECK(napi_create_string_utf8(env, "reverie reader", NAPI_AUTO_LENGTH, &name));
  CHECK(napi_create_threadsafe_function(env, a[7], NULL, name, 0, 1, reader, free_reader, reader, take, &reader->arrived));
  struct ddsi_sertype *type;
  dds_entity_t topic = create_topic(&e, &type);
  dds_qos_t *qos = endpoint_qos(&e);
  /* The listener comes after the entity is known: what arrives before is announced when it is set. */
  reader->entity = topic < 0 ? topic : dds_create_reader(e.participant, topic, qos, NULL);
  dds_delete_qos(qos);
  if (topic >= 0) dds_delete(topic);
  if (reader->entity < 0) {
    dds_return_t code = reader->entity;
    napi_release_threadsafe_function(reader->arrived, napi_tsfn_abort);
    return dds_fail(env, e.topic, code);
  }
  dds_listener_t *listener = dds_create_listener(reader);
  dds_lset_data_available(listener, on_data);
  dds_set_listener(reader->entity, listener);
  dds_delete_listener(listener);
  on_data(reader->entity, reader);
  napi_value result, id, handle;
  CHECK(napi_create_object(env, &result));
  CHECK(napi_create_int32(env, reader->entity, &id));
  CHECK(napi_set_named_property(env, result, "entity", id));
  CHECK(napi_create_external(env, reader, NULL, NULL, &handle));
  CHECK(napi_set_named_property(env, result, "handle", handle));
  return result;
}

/* closeReader(handle): no call comes after it */
static napi_value close_reader(napi_env env, napi_callback_info info) {
  napi_value a[1];
  struct reader *reader;
  if (!arguments(env, info, 1, a) || napi_get_value_external(env, a[0], (void **)&reader) != napi_ok)
    return fail(env, "closeReader(handle)");
  /* Waits for a listener that is being called. */
  dds_delete(reader->entity);
  napi_release_threadsafe_function(reader->arrived, napi_tsfn_abort);
  return NULL;
}

/* close(entity) */
static napi_value close_entity(napi_env env, napi_callback_info info) {
  napi_value a[1];
  dds_entity_t e;
  if (!arguments(env, info, 1, a) || !entity(env, a[0], &e)) return fail(env, "close(entity)");
  dds_delete(e);
  return NULL;
}

/* matched(entity, isWriter): endpoints of the other kind */
static napi_value matched(napi_env env, napi_callback_info info) {
  napi_value a[2];
  dds_entity_t e;
  bool is_writer;
  if (!arguments(env, info, 2, a) || !entity(env, a[0], &e) || napi_get_value_bool(env, a[1], &is_writer) != napi_ok)
    return fail(env, "matched(entity, isWriter)");
  dds_return_t count =
      is_writer ? dds_get_matched_subscriptions(e, NULL, 0) : dds_get_matched_publications(e, NULL, 0);
  return count < 0 ? dds_fail(env, "matched", count) : number(env, count);
}

/* gid(entity): 16 bytes */
static napi_value gid(napi_env env, napi_callback_info info) {
  napi_value a[1], result;
  dds_entity_t e;
  dds_guid_t guid;
  if (!arguments(env, info, 1, a) || !entity(env, a[0], &e)) return fail(env, "gid(entity)");
  dds_return_t got = dds_get_guid(e, &guid);
  if (got < 0) return dds_fail(env, "gid", got);
  CHECK(napi_create_buffer_copy(env, GID_BYTES, guid.v, NULL, &result));
  return result;
}

/* otherTypes(participant, topic, type): names of types under which others publish on that topic */
static napi_value other_types(napi_env env, napi_callback_info info) {
  napi_value a[3], result;
  dds_entity_t participant;
  char topic[NAME_LENGTH], type[NAME_LENGTH];
  if (!arguments(env, info, 3, a) || !entity(env, a[0], &participant) || !text(env, a[1], topic) ||
      !text(env, a[2], type))
    return fail(env, "otherTypes(participant, topic, type)");
  CHECK(napi_create_array(env, &result));
  dds_entity_t reader = dds_create_reader(participant, DDS_BUILTIN_TOPIC_DCPSPUBLICATION, NULL, NULL);
  if (reader < 0) return dds_fail(env, "discovered publications", reader);
  uint32_t found = 0;
  for (;;) {
    void *samples[TAKE_AT_ONCE] = {NULL};
    dds_sample_info_t infos[TAKE_AT_ONCE];
    int32_t count = dds_take(reader, samples, infos, TAKE_AT_ONCE, TAKE_AT_ONCE);
    for (int32_t i = 0; i < count; i++) {
      const dds_builtintopic_endpoint_t *other = samples[i];
      if (!infos[i].valid_data || strcmp(other->topic_name, topic) != 0 || strcmp(other->type_name, type) == 0) continue;
      napi_value name;
      napi_create_string_utf8(env, other->type_name, NAPI_AUTO_LENGTH, &name);
      napi_set_element(env, result, found++, name);
    }
    if (count > 0) dds_return_loan(reader, samples, count);
    if (count < TAKE_AT_ONCE) break;
  }
  dds_delete(reader);
  return result;
}

static napi_value init(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      {"createDomain", NULL, create_domain, NULL, NULL, NULL, napi_enumerable, NULL},
      {"createParticipant", NULL, create_participant, NULL, NULL, NULL, napi_enumerable, NULL},
      {"createWriter", NULL, create_writer, NULL, NULL, NULL, napi_enumerable, NULL},
      {"write", NULL, write_bytes, NULL, NULL, NULL, napi_enumerable, NULL},
      {"createReader", NULL, create_reader, NULL, NULL, NULL, napi_enumerable, NULL},
      {"closeReader", NULL, close_reader, NULL, NULL, NULL, napi_enumerable, NULL},
      {"close", NULL, close_entity, NULL, NULL, NULL, napi_enumerable, NULL},
      {"matched", NULL, matched, NULL, NULL, NULL, napi_enumerable, NULL},
      {"gid", NULL, gid, NULL, NULL, NULL, napi_enumerable, NULL},
      {"otherTypes", NULL, other_types, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  CHECK(napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions));
  return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
