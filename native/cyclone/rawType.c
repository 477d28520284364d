/*
 * A serialised type for Cyclone DDS 0.10 that carries bytes as they are: serialising is copying, and
 * with no key every sample belongs to the one instance of its topic.
 */
#include "rawType.h"

#include <dds/ddsi/q_radmin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raw_sample {
  struct ddsi_serdata c;
  size_t size;
  /* Padded with zeros to a multiple of 4, which is what the protocol sends. */
  unsigned char bytes[];
};

static const struct ddsi_sertype_ops raw_type_ops;
static const struct ddsi_serdata_ops raw_sample_ops;

static size_t padded(size_t size) { return (size + 3) & ~(size_t)3; }

static struct raw_sample *allocate(const struct ddsi_sertype *type, enum ddsi_serdata_kind kind, size_t size) {
  struct raw_sample *sample = calloc(1, sizeof *sample + padded(size));
  if (!sample) return NULL;
  ddsi_serdata_init(&sample->c, type, kind);
  sample->c.hash = type->serdata_basehash;
  sample->size = size;
  return sample;
}

struct ddsi_serdata *raw_sample_new(const struct ddsi_sertype *type, const void *bytes, size_t size) {
  struct raw_sample *sample = allocate(type, SDK_DATA, size);
  if (!sample) return NULL;
  memcpy(sample->bytes, bytes, size);
  return &sample->c;
}

/* Received bytes: the low bits of the header's last byte say how much of the end is padding. */
static void strip_padding(struct raw_sample *sample) {
  if (sample->size < 4) return;
  size_t padding = sample->bytes[3] & 3;
  if (padding > sample->size - 4) return;
  sample->size -= padding;
  sample->bytes[3] &= (unsigned char)~3;
}

const void *raw_sample_bytes(const struct ddsi_serdata *sample, size_t *size) {
  const struct raw_sample *raw = (const struct raw_sample *)sample;
  *size = raw->size;
  return raw->bytes;
}

static bool eqkey(const struct ddsi_serdata *a, const struct ddsi_serdata *b) {
  (void)a;
  (void)b;
  return true;
}

static uint32_t get_size(const struct ddsi_serdata *d) {
  return (uint32_t)((const struct raw_sample *)d)->size;
}

static struct ddsi_serdata *from_ser(const struct ddsi_sertype *type, enum ddsi_serdata_kind kind,
                                     const struct nn_rdata *fragment, size_t size) {
  struct raw_sample *sample = allocate(type, kind, size);
  if (!sample) return NULL;
  size_t have = 0;
  for (; fragment; fragment = fragment->nextfrag) {
    /* Fragments may overlap. */
    if (fragment->maxp1 <= have) continue;
    const unsigned char *payload = NN_RMSG_PAYLOADOFF(fragment->rmsg, NN_RDATA_PAYLOAD_OFF(fragment));
    memcpy(sample->bytes + have, payload + (have - fragment->min), fragment->maxp1 - have);
    have = fragment->maxp1;
  }
  strip_padding(sample);
  return &sample->c;
}

static struct ddsi_serdata *from_ser_iov(const struct ddsi_sertype *type, enum ddsi_serdata_kind kind,
                                         ddsrt_msg_iovlen_t count, const ddsrt_iovec_t *parts, size_t size) {
  struct raw_sample *sample = allocate(type, kind, size);
  if (!sample) return NULL;
  size_t have = 0;
  for (ddsrt_msg_iovlen_t i = 0; i < count && have < size; i++) {
    size_t length = parts[i].iov_len < size - have ? parts[i].iov_len : size - have;
    memcpy(sample->bytes + have, parts[i].iov_base, length);
    have += length;
  }
  strip_padding(sample);
  return &sample->c;
}

static struct ddsi_serdata *from_keyhash(const struct ddsi_sertype *type, const struct ddsi_keyhash *keyhash) {
  (void)keyhash;
  struct raw_sample *sample = allocate(type, SDK_KEY, 0);
  return sample ? &sample->c : NULL;
}

/* Samples are written as serdata alone; Cyclone itself asks for this when an instance is disposed. */
static struct ddsi_serdata *from_sample(const struct ddsi_sertype *type, enum ddsi_serdata_kind kind,
                                        const void *sample) {
  (void)sample;
  return kind == SDK_DATA ? NULL : from_keyhash(type, NULL);
}

static void to_ser(const struct ddsi_serdata *d, size_t offset, size_t size, void *into) {
  memcpy(into, ((const struct raw_sample *)d)->bytes + offset, size);
}

static struct ddsi_serdata *to_ser_ref(const struct ddsi_serdata *d, size_t offset, size_t size, ddsrt_iovec_t *ref) {
  ref->iov_base = (void *)(((const struct raw_sample *)d)->bytes + offset);
  ref->iov_len = (ddsrt_iov_len_t)size;
  return ddsi_serdata_ref(d);
}

static void to_ser_unref(struct ddsi_serdata *d, const ddsrt_iovec_t *ref) {
  (void)ref;
  ddsi_serdata_unref(d);
}

/* Bytes are read as serdata alone. */
static bool to_sample(const struct ddsi_serdata *d, void *sample, void **from, void *limit) {
  (void)d;
  (void)sample;
  (void)from;
  (void)limit;
  return false;
}

static bool untyped_to_sample(const struct ddsi_sertype *type, const struct ddsi_serdata *d, void *sample, void **from,
                              void *limit) {
  (void)type;
  return to_sample(d, sample, from, limit);
}

static struct ddsi_serdata *to_untyped(const struct ddsi_serdata *d) {
  struct raw_sample *sample = allocate(d->type, SDK_KEY, 0);
  if (!sample) return NULL;
  sample->c.type = NULL;
  return &sample->c;
}

static void free_sample(struct ddsi_serdata *d) { free(d); }

static size_t print(const struct ddsi_sertype *type, const struct ddsi_serdata *d, char *into, size_t size) {
  (void)type;
  (void)d;
  return (size_t)snprintf(into, size, "(bytes)");
}

static void get_keyhash(const struct ddsi_serdata *d, struct ddsi_keyhash *into, bool force_md5) {
  (void)d;
  (void)force_md5;
  memset(into, 0, sizeof *into);
}

static const struct ddsi_serdata_ops raw_sample_ops = {
    .eqkey = eqkey,
    .get_size = get_size,
    .from_ser = from_ser,
    .from_ser_iov = from_ser_iov,
    .from_keyhash = from_keyhash,
    .from_sample = from_sample,
    .to_ser = to_ser,
    .to_ser_ref = to_ser_ref,
    .to_ser_unref = to_ser_unref,
    .to_sample = to_sample,
    .to_untyped = to_untyped,
    .untyped_to_sample = untyped_to_sample,
    .free = free_sample,
    .print = print,
    .get_keyhash = get_keyhash,
};

static void free_type(struct ddsi_sertype *type) {
  ddsi_sertype_fini(type);
  free(type);
}

static void zero_samples(const struct ddsi_sertype *type, void *samples, size_t count) {
  (void)type;
  (void)samples;
  (void)count;
}

static void realloc_samples(void **into, const struct ddsi_sertype *type, void *old, size_t before, size_t count) {
  (void)into;
  (void)type;
  (void)old;
  (void)before;
  (void)count;
}

static void free_samples(const struct ddsi_sertype *type, void **samples, size_t count, dds_free_op_t op) {
  (void)type;
  (void)samples;
  (void)count;
  (void)op;
}

/* Types of one name are equal: their bytes are not looked into. */
static bool equal(const struct ddsi_sertype *a, const struct ddsi_sertype *b) {
  (void)a;
  (void)b;
  return true;
}

static uint32_t hash(const struct ddsi_sertype *type) {
  (void)type;
  return 0;
}

static const struct ddsi_sertype_ops raw_type_ops = {
    .version = ddsi_sertype_v0,
    .arg = NULL,
    .free = free_type,
    .zero_samples = zero_samples,
    .realloc_samples = realloc_samples,
    .free_samples = free_samples,
    .equal = equal,
    .hash = hash,
};

struct ddsi_sertype *raw_type_new(const char *type_name) {
  struct ddsi_sertype *type = calloc(1, sizeof *type);
  if (!type) return NULL;
  ddsi_sertype_init_flags(type, type_name, &raw_type_ops, &raw_sample_ops, DDSI_SERTYPE_FLAG_TOPICKIND_NO_KEY);
  type->allowed_data_representation = DDS_DATA_REPRESENTATION_FLAG_XCDR1;
  return type;
}
