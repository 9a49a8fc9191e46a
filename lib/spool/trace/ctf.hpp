// SPDX-License-Identifier: MIT
//
// The bytes of a segment: where a packet keeps what, and how a Record begins. Common Trace Format 1.8, little-endian.
//
//   trace directory          kvserver-4711.spool/
//     segment                  000001/
//       metadata                 packetized TSDL text, one packet that reaches to the end of the file
//       chunk                    stream-0000, stream-0001, ...   equal sizes, each a chain of packets
//     status file              .status
//
//   a packet      | PacketHeader, 96 bytes | Record | pad to 8 | Record | ...  | not yet written |
//                   content_size * counts bits up to the end of the last committed Record ┘
//   a Record      | timestamp u64 | id u16 | object u48 | fields ... |
//   a transition  | timestamp u64 | id u16 | object u48 | site u32 | seq u32 | u32 | u32 |     32 bytes
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace spool::trace {

using Uuid = std::array<std::uint8_t, 16>;

inline constexpr std::uint32_t packet_magic = 0xC1FC'1FC1;
inline constexpr std::uint32_t metadata_magic = 0x75D1'1D57;

/// Stream classes.
inline constexpr std::uint32_t record_stream = 0;
inline constexpr std::uint32_t definition_stream = 1;

/// Stands at the start of each packet. All sizes in bits, as CTF has them.
struct PacketHeader {
  std::uint32_t magic;
  Uuid uuid;
  std::uint32_t stream_id;
  std::uint64_t content_size;  ///< the commit word: everything before it is whole
  std::uint64_t packet_size;
  std::uint64_t timestamp_begin;
  std::uint64_t events_discarded;  ///< Records lost before this packet, cumulative in the file
  std::uint64_t closed;            ///< in stream-0000 only: 0, or the tick at which the segment was closed
  std::uint32_t thread_id;         ///< the writer's ThreadNumber; 0 for definitions and untouched chunks
  std::uint32_t segment;           ///< the segment's number; agrees over all chunks of a directory
  std::uint64_t mixed;             ///< 1: it has messages, so not all its Records are as long as a transition
  std::array<std::uint64_t, 2> reserved;
};
static_assert(sizeof(PacketHeader) == 96);
static_assert(offsetof(PacketHeader, content_size) == 24);
static_assert(offsetof(PacketHeader, segment) == 68);

/// Stands at the start of each metadata packet. Sizes in bits; 37 bytes in the file, without padding.
struct [[gnu::packed]] MetadataHeader {
  std::uint32_t magic;
  Uuid uuid;
  std::uint32_t checksum;
  std::uint32_t content_size;  ///< the commit word of the metadata
  std::uint32_t packet_size;
  std::uint8_t compression;
  std::uint8_t encryption;
  std::uint8_t checksum_scheme;
  std::uint8_t major;
  std::uint8_t minor;
};
static_assert(sizeof(MetadataHeader) == 37);

/// Stands at the start of each Record.
struct RecordHeader {
  std::uint64_t timestamp;
  std::uint64_t id_and_object;  ///< id in the low 16 bits, object in the high 48
};
static_assert(sizeof(RecordHeader) == 16);

constexpr std::uint64_t id_and_object(std::uint16_t id, std::uint64_t object) {
  return object << 16 | id;
}

/// A Record of a primitive.
struct Transition {
  RecordHeader header;
  std::uint32_t site;
  std::uint32_t sequence;
  std::uint32_t a;
  std::uint32_t b;
};
static_assert(sizeof(Transition) == 32);

/// `status.wait`
struct StatusWaitRecord {
  RecordHeader header;
  std::uint32_t site;
  std::uint32_t owner;
  std::uint64_t since;
  std::uint32_t owner_site;
  std::uint32_t begun_by;  ///< id of the block Record
};
static_assert(sizeof(StatusWaitRecord) == 40);

/// `status.stack`
struct StatusStackRecord {
  RecordHeader header;
  std::uint32_t stack;
  std::uint32_t reserved;
};
static_assert(sizeof(StatusStackRecord) == 24);

inline constexpr std::size_t record_alignment = 8;

constexpr std::uint64_t align_record(std::uint64_t position) {
  return (position + 7) & ~std::uint64_t{7};
}

}  // namespace spool::trace
