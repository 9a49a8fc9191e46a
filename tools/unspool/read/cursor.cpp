// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/cursor.hpp>

#include <algorithm>
#include <cstring>

namespace unspool {
namespace {

using Shape = RecordClass::Shape;
using Slot = RecordClass::Slot;

// spool cuts what is longer than a packet. Bounds what a file can make us keep.
constexpr std::uint64_t longest = 64 << 20;
constexpr std::uint64_t header_size = sizeof(trace::RecordHeader);

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

Cursor::Cursor(Trace& trace, const Packet& packet)
    : trace_(trace),
      packet_(packet),
      segment_(trace.segment_of(packet)),
      file_(trace.open_chunk(packet)),
      chunk_(trace.chunk_of(packet).number),
      position_(packet.offset + sizeof(trace::PacketHeader)),
      end_(packet.end),
      last_(packet.begin) {
  filled_ = base_ = position_;
  if (!file_) {
    stop(position_, fmt::format("cannot be opened again ({})", file_.error()));
  } else if (!is_as_found()) {
    stop(position_, "belongs to another packet than was found there: the trace was changed meanwhile");
  }
}

/// A process, a copy or the index of an archive may have said something else when the packets were looked for.
bool Cursor::is_as_found() const {
  trace::PacketHeader header{};
  const auto into = std::as_writable_bytes(std::span{&header, 1});
  if (file_.read(packet_.offset, into) < sizeof header) return true;  // that it is cut is told where Records are read
  // Of a process that still writes, the content grows.
  if (segment_.files->are_final()) return hash_of(header) == packet_.header;
  return header.magic == trace::packet_magic && header.stream_id == packet_.stream &&
         header.thread_id == packet_.thread && header.timestamp_begin == packet_.begin &&
         header.segment == segment_.number;
}

Cursor::~Cursor() {
  trace_.buffers().resize(capacity_, 0);
}

/// Whether two words of id and object are those of an acquire and of its release.
bool Cursor::are_hold(std::uint64_t acquired, std::uint64_t released) {
  if (acquired >> 16U != released >> 16U || acquired >> 16U == 0) return false;
  const RecordClass* const first = segment_.classes.find(packet_.stream, static_cast<std::uint16_t>(acquired));
  const RecordClass* const second = segment_.classes.find(packet_.stream, static_cast<std::uint16_t>(released));
  if (first == nullptr || second == nullptr || !first->begins_hold || !second->ends_hold) return false;
  if (first->row->kind != second->row->kind) return false;
  hold_id_ = static_cast<std::uint16_t>(acquired);
  hold_step_ = released - acquired;
  hold_kind_ = std::uint64_t{static_cast<std::uint8_t>(first->row->kind)} << 48U;
  return true;
}

/// Reads on where two whole transitions are not in the window; false where the packet has no two any more.
bool Cursor::refill(std::uint64_t at) {
  constexpr std::uint64_t wanted = 2 * sizeof(trace::Transition);
  if (at + wanted > end_ || filled_ == end_) return false;
  return fill(at) && at + wanted <= filled_;
}

bool Cursor::next_any(Record& record) {
  for (;;) {
    const std::uint64_t at = trace::align_record(position_);
    if (at + sizeof(trace::Transition) > filled_ && !fill(at)) return false;
    const auto header = load<trace::RecordHeader>(buffer_.get() + (at - base_));
    const RecordClass* const found =
        segment_.classes.find(packet_.stream, static_cast<std::uint16_t>(header.id_and_object));
    record.time = header.timestamp;
    record.thread = packet_.thread;
    record.object = header.id_and_object >> 16;
    record.since = 0;
    record.count = 0;
    record.message = nullptr;
    record.place = {segment_.number, chunk_, at};
    if (!read_fields_at(at, found, record)) return false;
    if (!record.row) continue;
    const bool plain = record.time >= last_ && record.time - last_ < leap;
    if (!plain && !check_time(at, record)) return false;
    last_ = record.time;
    return true;
  }
}

/// Moves the window so that it begins at `at`; false where there is no whole Record header any more.
bool Cursor::fill(std::uint64_t at) {
  if (at >= end_) return false;
  if (filled_ < end_) {
    const std::uint64_t wanted = std::min(end_ - at, std::max(capacity_, trace_.buffers().window()));
    if (wanted > capacity_) make_buffer(wanted);
    const std::size_t got = file_.read(at, {buffer_.get(), static_cast<std::size_t>(wanted)});
    base_ = at;
    filled_ = at + got;
    if (got < wanted) {
      trace_.problems().damage(
          fmt::format("{}: ended at byte {} while it was read: it was cut meanwhile, or cannot be read",
                      trace_.where(packet_), filled_),
          end_ - filled_);
      end_ = filled_;
    }
  }
  if (end_ - at >= header_size) return true;
  return stop(at, "is too short for a Record");
}

/// Reads more of the Record at `at`; false where there is no more of it.
bool Cursor::grow(std::uint64_t at) {
  const std::uint64_t have = filled_ - at;
  const std::uint64_t wanted = std::min({end_ - at, have * 4 + trace_.buffers().window(), longest});
  if (wanted <= have) return false;
  if (wanted > capacity_) {
    if (!trace_.buffers().may_grow(wanted - capacity_)) return false;
    make_buffer(wanted);
  }
  return fill(at) && filled_ - at > have;
}

void Cursor::make_buffer(std::uint64_t size) {
  trace_.buffers().resize(capacity_, size);
  buffer_.reset(new std::byte[size]);  // not zeroed: it is read into at once
  capacity_ = size;
}

/// false: the packet ends here. A class that is passed over gives no row.
bool Cursor::read_fields_at(std::uint64_t at, const RecordClass* found, Record& record) {
  const auto id = load<std::uint16_t>(from(at).data() + sizeof(std::uint64_t));
  if (!found) return stop(at, fmt::format("is a Record with the id {}, which the metadata does not declare", id));
  if (found->shape == Shape::unreadable) {
    return stop(at, fmt::format("is a Record \"{}\", whose fields are declared in a way that this unspool cannot read",
                                found->name));
  }
  RecordClass::Offsets offsets;
  auto length = found->length(from(at).subspan(header_size), offsets);
  while (!length && grow(at))
    length = found->length(from(at).subspan(header_size), offsets);
  if (!length) return stop(at, fmt::format("is a Record \"{}\" that goes beyond the packet's content", found->name));
  position_ = at + header_size + *length;
  record.row = found->row;
  sequenced_ = found->sequenced;
  if (found->shape == Shape::unknown) {
    record.row = nullptr;
    trace_.passed_over(*found);
    return true;
  }
  read_fields(*found, offsets, from(at).subspan(header_size, *length), record);
  if (record.row->verb == trace::Verb::loss) trace_.lost(packet_, record.count);
  return true;
}

void Cursor::read_fields(const RecordClass& found, const RecordClass::Offsets& offsets,
                         std::span<const std::byte> bytes, Record& record) const {
  record.site = record.seq = record.a = record.b = 0;
  for (std::size_t i = 0; i < found.slots.size(); ++i) {
    if (found.slots[i] == Slot::none) continue;
    const std::uint64_t value = unsigned_at(bytes.data() + offsets[i], found.members[i].size);
    const auto narrow = static_cast<std::uint32_t>(value);
    switch (found.slots[i]) {
      case Slot::none:
        break;
      case Slot::site:
        record.site = narrow;
        break;
      case Slot::seq:
        record.seq = narrow;
        break;
      case Slot::a:
        record.a = narrow;
        break;
      case Slot::b:
        record.b = narrow;
        break;
      case Slot::since:
        record.since = value;
        break;
      case Slot::count:
        record.count = value;
        break;
    }
  }
  record.bytes = bytes;
  record.message = found.message;
  if (found.message) record.site = load<std::uint32_t>(bytes.data());
  if (record.row->kind == trace::Kind::message) record.bytes = bytes.subspan(sizeof record.site);
}

/// The Record behind the last one read is earlier than `time` and not earlier than the one before.
bool Cursor::is_leap(trace::Ticks time) const {
  const std::uint64_t at = trace::align_record(position_);
  if (at + header_size > filled_) return false;
  const auto next = load<trace::Ticks>(buffer_.get() + (at - base_));
  return next < time && next >= last_;
}

/// A time that lies before the one before it, or far behind it. Of two that contradict each other, the one is wrong
/// that contradicts the third too; it gets its neighbour's time. false: the packet ends here.
bool Cursor::check_time(std::uint64_t at, Record& record) {
  if (record.time < packet_.begin) {
    // After a loss of power, pages come back in any order: what is older than the packet was never written to it.
    return stop(at, "is a Record older than its packet");
  }
  if (record.time >= last_ && !is_leap(record.time)) return true;
  if (!warned_) {
    trace_.problems().damage(
        fmt::format("{}: times go back at byte {}; where they do, a Record is given the time of the one "
                    "before it",
                    trace_.where(packet_), at));
  }
  warned_ = true;
  record.time = last_;
  return true;
}

bool Cursor::stop(std::uint64_t at, const std::string& why) {
  const std::uint64_t bytes = end_ - at;
  trace_.problems().damage(fmt::format("{}: what stands at byte {} {}; the rest of the packet, {} bytes, is left out",
                                       trace_.where(packet_), at, why, bytes),
                           bytes);
  position_ = filled_ = end_ = at;
  return false;
}

}  // namespace unspool
