// SPDX-License-Identifier: MIT
#include <spool/log/tally.hpp>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace spool::log {
namespace {

std::uint64_t load_size(std::uint64_t& bits) {
  return std::atomic_ref{bits}.load(std::memory_order_acquire) / 8;  // acquire: partner is the writer's commit
}

}  // namespace

void Tally::count(Segment& segment, std::size_t chunks) {
  const std::size_t used = std::min({chunks, segment.chunks.size(), segment.counted.size()});
  for (std::size_t i = 0; i < used; ++i)
    count_chunk({segment.chunks[i].data(), segment.geometry.chunk_bytes}, segment.counted[i]);
}

void Tally::count_chunk(std::span<std::byte> chunk, Counted& until) {
  for (;;) {
    std::byte* const packet = chunk.data() + until.packet;
    trace::PacketHeader& header = Segment::header_at(packet);
    // The packet's size first: once it ends before the file does, its content no longer grows.
    const std::uint64_t packet_size = load_size(header.packet_size);
    const std::uint64_t content = load_size(header.content_size);
    // Zeros: another process has truncated the file.
    if (packet_size < sizeof header || content > packet_size || packet_size > chunk.size() - until.packet) return;
    if (content > std::max<std::uint64_t>(until.position, sizeof header)) {
      count_packet(packet, until.position, content);
      until.position = content;
    }
    if (until.packet + packet_size + sizeof header > chunk.size()) return;
    until = {until.packet + packet_size, 0};
  }
}

void Tally::count_packet(std::byte* packet, std::uint64_t from, std::uint64_t until) {
  trace::PacketHeader& header = Segment::header_at(packet);
  so_far_.bytes += until - from;
  if (header.stream_id == trace::definition_stream) return;
  const std::uint64_t first = std::max<std::uint64_t>(from, sizeof header);
  // relaxed: stored before the commit of the first message
  if (std::atomic_ref{header.mixed}.load(std::memory_order_relaxed) != 0) {
    so_far_.records += walk({packet, until}, first);
  } else {
    // One Record, of a thread that waits, may be longer by 8 bytes: it is the packet's first but for holds.
    so_far_.records += (until - first) / sizeof(trace::Transition);
  }
}

std::uint64_t Tally::walk(std::span<const std::byte> packet, std::uint64_t from) {
  std::uint64_t count = 0;
  std::uint64_t at = trace::align_record(from);
  while (at + sizeof(trace::RecordHeader) <= packet.size()) {
    trace::RecordHeader header{};
    std::memcpy(&header, packet.data() + at, sizeof header);
    const auto id = static_cast<std::uint16_t>(header.id_and_object);
    at += sizeof header;
    at = trace::align_record(at + lengths_.of_fields(id, packet.subspan(at)));
    ++count;
  }
  return count;
}

}  // namespace spool::log
