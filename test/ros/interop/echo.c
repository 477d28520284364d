/*
 * An independent peer on Cyclone DDS: reads its topics as structures that idlc made, and writes them
 * out again. `peers.h` is made by the test: PEERS, a list of PEER(number, name of the C type), the last
 * one best effort.
 */
#include <dds/dds.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "peers.h"

struct peer {
  int number;
  const dds_topic_descriptor_t *type;
  dds_entity_t reader, writer;
};
#define PEER(number, type) {number, &type##_desc, 0, 0},
static struct peer peers[] = {PEERS};
#undef PEER
enum { COUNT = sizeof peers / sizeof *peers };

int main(void) {
  const char *domain = getenv("ROS_DOMAIN_ID");
  dds_entity_t participant = dds_create_participant((dds_domainid_t)atoi(domain ? domain : "0"), NULL, NULL);
  if (participant < 0) return 1;
  dds_qos_t *qos = dds_create_qos();
  dds_qset_reliability(qos, DDS_RELIABILITY_RELIABLE, DDS_INFINITY);
  dds_qset_durability(qos, DDS_DURABILITY_TRANSIENT_LOCAL);
  dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
  dds_qset_data_representation(qos, 1, (dds_data_representation_id_t[]){DDS_DATA_REPRESENTATION_XCDR1});
  for (int i = 0; i < COUNT; i++) {
    if (i == COUNT - 1) {
      dds_qset_reliability(qos, DDS_RELIABILITY_BEST_EFFORT, 0);
      dds_qset_durability(qos, DDS_DURABILITY_VOLATILE);
    }
    char in[32], out[32];
    snprintf(in, sizeof in, "rt/to_%d", peers[i].number);
    snprintf(out, sizeof out, "rt/from_%d", peers[i].number);
    peers[i].reader =
        dds_create_reader(participant, dds_create_topic(participant, peers[i].type, in, NULL, NULL), qos, NULL);
    peers[i].writer =
        dds_create_writer(participant, dds_create_topic(participant, peers[i].type, out, NULL, NULL), qos, NULL);
    if (peers[i].reader < 0 || peers[i].writer < 0) return 1;
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    /* Until whoever started it is gone. */
    if (poll(&input, 1, 1) > 0) return 0;
    for (int i = 0; i < COUNT; i++) {
      void *samples[256] = {NULL};
      dds_sample_info_t infos[256];
      int taken = dds_take(peers[i].reader, samples, infos, 256, 256);
      for (int k = 0; k < taken; k++)
        if (infos[k].valid_data) dds_write(peers[i].writer, samples[k]);
      if (taken > 0) dds_return_loan(peers[i].reader, samples, taken);
    }
  }
}
