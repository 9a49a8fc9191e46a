// SPDX-License-Identifier: MIT
//
// Reads the Records of one packet, first to last. Owns the bytes it stands on; keeps inside the packet's content
// whatever the bytes say. What it cannot read ends the packet and is reported.
#pragma once

#include <unspool/read/trace.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

namespace unspool {

class Cursor {
 public:
  /// Where there is nothing to read, the first next() says so.
  Cursor(Trace& trace, const Packet& packet);
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor();

  /// The next Record into `record`, whose bytes are valid until the next call; false at the packet's end.
  bool next(Record& record) { return next_plain(record) || next_any(record); }
  /// The next two Records, where they are a plain hold; else nothing is read.
  bool next_hold(PlainHold& hold);

  /// Where the last Record read ends, in its chunk.
  std::uint64_t position() const { return position_; }
  /// The last Record has a sequence number.
  bool sequenced() const { return sequenced_; }

 private:
  // Some 20 s to a minute: a thread may be quiet for so long, so this only makes one look twice.
  static constexpr trace::Ticks leap = trace::Ticks{1} << 36;

  bool next_plain(Record& record);
  bool next_any(Record& record);
  bool is_as_found() const;
  bool are_hold(std::uint64_t acquired, std::uint64_t released);
  bool refill(std::uint64_t at);
  void make_buffer(std::uint64_t size);
  bool fill(std::uint64_t at);
  bool grow(std::uint64_t at);
  bool read_fields_at(std::uint64_t at, const RecordClass* record_class, Record& record);
  void read_fields(const RecordClass& record_class, const RecordClass::Offsets& offsets,
                   std::span<const std::byte> bytes, Record& record) const;
  bool check_time(std::uint64_t at, Record& record);
  bool is_leap(trace::Ticks time) const;
  bool stop(std::uint64_t at, const std::string& why);
  std::span<const std::byte> from(std::uint64_t at) const {
    return {buffer_.get() + (at - base_), static_cast<std::size_t>(filled_ - at)};
  }

  Trace& trace_;
  const Packet& packet_;
  const Segment& segment_;
  File file_;
  std::uint32_t chunk_;
  std::unique_ptr<std::byte[]> buffer_;  ///< holds the file's bytes [base_, filled_)
  std::uint64_t capacity_ = 0;
  std::uint64_t base_ = 0;
  std::uint64_t filled_ = 0;
  std::uint64_t position_;  ///< behind the last Record read
  std::uint64_t end_;       ///< of the content
  trace::Ticks last_;
  bool sequenced_ = false;
  bool warned_ = false;
  // Of the acquire and the release that are_hold() was true for last:
  std::uint32_t hold_id_ = 0x1'0000;  ///< at first none: ids have 16 bits
  std::uint64_t hold_step_ = 0;       ///< from one word of id and object to the other
  std::uint64_t hold_kind_ = 0;       ///< as in PlainHold
};

/// A transition that is all there and whose time fits: nearly every Record. False: it takes a closer look.
inline bool Cursor::next_plain(Record& record) {
  const std::uint64_t at = trace::align_record(position_);
  if (at + sizeof(trace::Transition) > filled_) return false;
  const std::byte* const bytes = buffer_.get() + (at - base_);
  trace::Transition transition;
  std::memcpy(&transition, bytes, sizeof transition);
  const trace::Ticks time = transition.header.timestamp;
  const RecordClass* const found =
      segment_.classes.find(packet_.stream, static_cast<std::uint16_t>(transition.header.id_and_object));
  if (found == nullptr || found->shape != RecordClass::Shape::transition) return false;
  if (time < last_ || time - last_ >= leap) return false;
  record.row = found->row;
  record.time = time;
  record.thread = packet_.thread;
  record.object = transition.header.id_and_object >> 16U;
  record.site = transition.site;
  record.seq = transition.sequence;
  record.a = transition.a;
  record.b = transition.b;
  record.since = 0;
  record.count = 0;
  record.message = nullptr;
  record.bytes = {bytes + sizeof transition.header, sizeof transition - sizeof transition.header};
  record.place = {segment_.number, chunk_, at};
  sequenced_ = true;
  position_ = at + sizeof transition;
  last_ = time;
  return true;
}

/// Compares and copies words of the file as they stand there (trace::Transition): this is what reading a trace costs.
inline bool Cursor::next_hold(PlainHold& hold) {
  constexpr std::uint64_t size = sizeof(trace::Transition);
  const std::uint64_t at = trace::align_record(position_);
  if (at + 2 * size > filled_ && !refill(at)) return false;
  const std::byte* const bytes = buffer_.get() + (at - base_);
  const auto word = [bytes](std::size_t index) {
    std::uint64_t value;
    std::memcpy(&value, bytes + index * sizeof value, sizeof value);
    return value;
  };
  const std::uint64_t since = word(0);
  const std::uint64_t acquired = word(1);  // id and object
  const std::uint64_t until = word(4);
  const std::uint64_t released = word(5);
  if (static_cast<std::uint16_t>(acquired) != hold_id_ || released - acquired != hold_step_) {
    if (!are_hold(acquired, released)) return false;
  }
  const std::uint64_t sequence = word(2) >> 32U;
  const std::uint64_t next_sequence = word(6) >> 32U;
  // Nothing is missing, nothing spun, nobody waits, its own thread releases it; and the times fit.
  const bool plain = static_cast<std::uint32_t>(next_sequence - sequence) == 1 && word(3) >> 32U == 0 &&
                     acquired >> 16U != 0 && word(7) == std::uint64_t{packet_.thread} << 32U;
  if (!plain || since - last_ >= leap || until - since >= leap) return false;
  hold.since = since;
  hold.until = until;
  hold.object_and_kind = acquired >> 16U | hold_kind_;
  std::memcpy(&hold.site, bytes + 2 * sizeof since, sizeof since);  // and seq, which stands behind it in both
  hold.release_site = static_cast<trace::SiteNumber>(word(6));
  hold.waker = static_cast<trace::ThreadNumber>(word(3));
  hold.thread = packet_.thread;
  hold.segment = segment_.number;
  position_ = at + 2 * size;
  last_ = until;
  return true;
}

}  // namespace unspool
