#ifndef REVERIE_RAW_TYPE_H
#define REVERIE_RAW_TYPE_H

#include <dds/dds.h>
#include <dds/ddsi/ddsi_serdata.h>
#include <dds/ddsi/ddsi_sertype.h>

/* A type without key whose samples are CDR bytes that nobody looks into. */
struct ddsi_sertype *raw_type_new(const char *type_name);

/* A sample to hand to dds_writecdr, which takes it over; NULL without memory. CDR header included. */
struct ddsi_serdata *raw_sample_new(const struct ddsi_sertype *type, const void *bytes, size_t size);

/* The bytes of a received sample, header included, valid as long as the sample; without the padding of transport. */
const void *raw_sample_bytes(const struct ddsi_serdata *sample, size_t *size);

#endif
