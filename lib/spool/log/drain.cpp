// SPDX-License-Identifier: MIT
#include <spool/log/drain.hpp>
#include <spool/log/message_sites.hpp>
#include <spool/log/recorder.hpp>
#include <spool/trace/message.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>

namespace spool::log {
namespace {

constexpr std::size_t known_ids = trace::first_message_class;

/// Rows by id, for one look-up a Record.
const trace::Row* row_by_id(std::uint16_t id) {
  static const auto table = [] {
    std::array<const trace::Row*, known_ids> rows{};
    for (const trace::Row& row : trace::rows())
      rows[trace::record_id(row.kind, row.verb)] = &row;
    return rows;
  }();
  return id < known_ids ? table[id] : nullptr;
}

std::size_t fields_length(std::uint16_t id, std::span<const std::byte> rest) {
  if (const trace::Row* row = row_by_id(id)) return trace::packed_length(row->fields(), rest).value_or(rest.size());
  const MessageSite* message = MessageSites::instance().find(id);
  if (message == nullptr || rest.size() < sizeof(trace::SiteNumber)) return rest.size();
  const auto arguments = trace::packed_length(message->declared.arguments, rest.subspan(sizeof(trace::SiteNumber)));
  return arguments ? sizeof(trace::SiteNumber) + *arguments : rest.size();
}

bool is_message_or_end(std::uint16_t id) {
  constexpr std::uint16_t text = trace::record_id(trace::Kind::message, trace::Verb::text);
  constexpr std::uint16_t end = trace::record_id(trace::Kind::thread, trace::Verb::end);
  return id >= trace::first_message_class || id == text || id == end;
}

std::uint64_t load_size(std::uint64_t& bits) {
  return std::atomic_ref{bits}.load(std::memory_order_acquire) / 8;  // acquire: partner is the writer's commit
}

}  // namespace

void Drain::poll(std::vector<DrainedRecord>& out) {
  Recorder& recorder = Recorder::instance();
  const auto pinned = recorder.pin_segments();
  forget_old(pinned);
  // Definitions after Records: whatever a Record read here needs is committed by then (I5).
  for (const auto& segment : pinned)
    poll_segment(*segment, false, out);
  for (const auto& segment : pinned)
    poll_segment(*segment, true, out);
  for (const auto& segment : pinned) {
    if (segment->records_end != 0) finished_ = std::max(finished_, segment->number);
  }
  recorder.unpin(pinned);
}

void Drain::begin_at(std::uint32_t first) {
  cursors_.clear();
  finished_ = first - 1;
  lapped_ = 0;
}

void Drain::skip() {
  std::vector<DrainedRecord> unwanted;
  poll(unwanted);
}

void Drain::forget_old(const std::vector<std::shared_ptr<Segment>>& pinned) {
  if (pinned.empty()) return;
  const std::uint32_t oldest = pinned.front()->number;
  if (oldest > finished_ + 1) lapped_ += oldest - (finished_ + 1);
  finished_ = std::max(finished_, oldest - 1);
  cursors_.erase(cursors_.begin(), cursors_.lower_bound(oldest));
}

void Drain::poll_segment(const Segment& segment, bool definitions, std::vector<DrainedRecord>& out) {
  std::vector<Cursor>& cursors = cursors_[segment.number];
  cursors.resize(segment.geometry.chunks);
  for (std::size_t chunk = 0; chunk < segment.geometry.chunks; ++chunk)
    poll_chunk(segment, chunk, definitions, out);
}

void Drain::poll_chunk(const Segment& segment, std::size_t chunk, bool definitions, std::vector<DrainedRecord>& out) {
  Cursor& cursor = cursors_[segment.number][chunk];
  std::byte* const file = segment.chunks[chunk].data();
  for (;;) {
    trace::PacketHeader& header = Segment::header_at(file + cursor.packet);
    // The packet's size first: once it ends before the file does, its content no longer grows.
    const std::uint64_t packet_size = load_size(header.packet_size);
    const std::uint64_t content = load_size(header.content_size);
    if (content > sizeof header && (header.stream_id == trace::definition_stream) != definitions) return;
    if (cursor.position == 0) cursor.position = sizeof header;
    while (trace::align_record(cursor.position) < content) {
      const std::uint64_t at = trace::align_record(cursor.position);
      const std::span<const std::byte> bytes{file + cursor.packet + at, content - at};
      trace::RecordHeader record{};
      std::memcpy(&record, bytes.data(), sizeof record);
      const auto id = static_cast<std::uint16_t>(record.id_and_object);
      const std::size_t length = fields_length(id, bytes.subspan(sizeof record));
      if (definitions || wanted_ == Wanted::all || is_message_or_end(id)) {
        const auto fields = bytes.subspan(sizeof record, length);
        out.push_back({record.timestamp,
                       header.thread_id,
                       id,
                       definitions,
                       record.id_and_object >> 16U,
                       {fields.begin(), fields.end()}});
      }
      cursor.position = at + sizeof record + length;
    }
    if (cursor.packet + packet_size >= segment.geometry.chunk_bytes) return;
    cursor = {cursor.packet + packet_size, 0};
  }
}

}  // namespace spool::log
