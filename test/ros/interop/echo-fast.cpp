/*
 * An independent peer on Fast DDS: writes out again what it reads. Text goes through Fast CDR, as a
 * string that is read and written; the other messages pass as bytes. `fast-peers.h` is made by the
 * test: FAST_PEERS, a list of PEER(number, name of the type in DDS), the last one best effort.
 */
#include <fastcdr/Cdr.h>
#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantFactory.hpp>
#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/subscriber/DataReader.hpp>
#include <fastdds/dds/subscriber/SampleInfo.hpp>
#include <fastdds/dds/subscriber/Subscriber.hpp>
#include <fastdds/dds/topic/TopicDataType.hpp>
#include <fastdds/dds/topic/TypeSupport.hpp>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "fast-peers.h"

using namespace eprosima::fastdds::dds;
using eprosima::fastrtps::rtps::InstanceHandle_t;
using eprosima::fastrtps::rtps::SerializedPayload_t;

static const char TEXT[] = "std_msgs::msg::dds_::String_";
static const uint32_t LARGEST = 65536;
/* More than are ever under way. */
static const int32_t MOST_SAMPLES = 20000;

/* A message as the bytes of its CDR, encapsulation included. */
class Message : public TopicDataType {
 public:
  explicit Message(const char *name) : is_text(std::strcmp(name, TEXT) == 0) {
    setName(name);
    m_typeSize = LARGEST;
    m_isGetKeyDefined = false;
  }

  bool serialize(void *data, SerializedPayload_t *payload) override {
    auto &bytes = *static_cast<std::vector<char> *>(data);
    if (is_text) {
      eprosima::fastcdr::FastBuffer buffer(reinterpret_cast<char *>(payload->data), payload->max_size);
      eprosima::fastcdr::Cdr cdr(buffer, eprosima::fastcdr::Cdr::LITTLE_ENDIANNESS, eprosima::fastcdr::Cdr::DDS_CDR);
      cdr.serialize_encapsulation();
      cdr << std::string(bytes.begin(), bytes.end());
      payload->length = static_cast<uint32_t>(cdr.getSerializedDataLength());
    } else {
      std::memcpy(payload->data, bytes.data(), bytes.size());
      payload->length = static_cast<uint32_t>(bytes.size());
    }
    payload->encapsulation = CDR_LE;
    return true;
  }

  bool deserialize(SerializedPayload_t *payload, void *data) override {
    auto &bytes = *static_cast<std::vector<char> *>(data);
    char *begin = reinterpret_cast<char *>(payload->data);
    if (!is_text) {
      bytes.assign(begin, begin + payload->length);
      return true;
    }
    eprosima::fastcdr::FastBuffer buffer(begin, payload->length);
    eprosima::fastcdr::Cdr cdr(buffer, eprosima::fastcdr::Cdr::DEFAULT_ENDIAN, eprosima::fastcdr::Cdr::DDS_CDR);
    cdr.read_encapsulation();
    std::string text;
    cdr >> text;
    bytes.assign(text.begin(), text.end());
    return true;
  }

  std::function<uint32_t()> getSerializedSizeProvider(void *data) override {
    const auto &bytes = *static_cast<std::vector<char> *>(data);
    /* Encapsulation, length and the zero at the end of a string. */
    return [&bytes] { return static_cast<uint32_t>(bytes.size() + 16); };
  }

  void *createData() override { return new std::vector<char>(); }
  void deleteData(void *data) override { delete static_cast<std::vector<char> *>(data); }
  bool getKey(void *, InstanceHandle_t *, bool) override { return false; }

 private:
  const bool is_text;
};

struct Peer {
  int number;
  const char *type;
  DataReader *reader;
  DataWriter *writer;
};
#define PEER(number, type) {number, #type, nullptr, nullptr},
static Peer peers[] = {FAST_PEERS};
#undef PEER

template <typename Qos>
static Qos keeping(Qos qos) {
  qos.reliability().kind = RELIABLE_RELIABILITY_QOS;
  qos.durability().kind = TRANSIENT_LOCAL_DURABILITY_QOS;
  qos.history().kind = KEEP_ALL_HISTORY_QOS;
  qos.resource_limits().max_samples = MOST_SAMPLES;
  qos.resource_limits().max_samples_per_instance = MOST_SAMPLES;
  qos.endpoint().history_memory_policy = eprosima::fastrtps::rtps::DYNAMIC_RESERVE_MEMORY_MODE;
  return qos;
}

int main() {
  const char *domain = std::getenv("ROS_DOMAIN_ID");
  auto *participant = DomainParticipantFactory::get_instance()->create_participant(
      static_cast<uint32_t>(std::atoi(domain ? domain : "0")), PARTICIPANT_QOS_DEFAULT);
  if (!participant) return 1;
  auto *publisher = participant->create_publisher(PUBLISHER_QOS_DEFAULT);
  auto *subscriber = participant->create_subscriber(SUBSCRIBER_QOS_DEFAULT);
  const auto *easy = &peers[sizeof peers / sizeof *peers - 1];
  for (auto &peer : peers) {
    TypeSupport(new Message(peer.type)).register_type(participant);
    const std::string number = std::to_string(peer.number);
    auto *in = participant->create_topic("rt/to_" + number, peer.type, TOPIC_QOS_DEFAULT);
    auto *out = participant->create_topic("rt/from_" + number, peer.type, TOPIC_QOS_DEFAULT);
    auto readerQos = keeping(DATAREADER_QOS_DEFAULT);
    auto qos = keeping(DATAWRITER_QOS_DEFAULT);
    if (&peer == easy) {
      readerQos.reliability().kind = qos.reliability().kind = BEST_EFFORT_RELIABILITY_QOS;
      readerQos.durability().kind = qos.durability().kind = VOLATILE_DURABILITY_QOS;
    }
    peer.reader = subscriber->create_datareader(in, readerQos);
    /* What is transient local stays in the history when it was acknowledged: a long stream would fill it. */
    if (&peer == easy - 1) qos.durability().kind = VOLATILE_DURABILITY_QOS;
    peer.writer = publisher->create_datawriter(out, qos);
    if (!peer.reader || !peer.writer) return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  for (;;) {
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    /* Until whoever started it is gone. */
    if (poll(&input, 1, 1) > 0) _exit(0);
    for (auto &peer : peers) {
      std::vector<char> bytes;
      SampleInfo info;
      while (peer.reader->take_next_sample(&bytes, &info) == ReturnCode_t::RETCODE_OK)
        if (info.valid_data && !peer.writer->write(&bytes)) std::fprintf(stderr, "%s: not written\n", peer.type);
    }
  }
}
