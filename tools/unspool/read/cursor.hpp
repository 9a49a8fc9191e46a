// SPDX-License-Identifier: MIT
//
// Reads the Records of one packet, first to last. Owns the bytes it stands on; keeps inside the packet's content
// whatever the bytes say. What it cannot read ends the packet and is reported.
#pragma once

#include <unspool/read/trace.hpp>

#include <cstddef>
#include <cstdint>
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
  bool next(Record& record);

  /// The last Record has a sequence number.
  bool sequenced() const { return sequenced_; }

 private:
  void make_buffer(std::uint64_t size);
  bool fill(std::uint64_t at);
  bool grow(std::uint64_t at);
  bool read_slowly(std::uint64_t at, const RecordClass* record_class, Record& record);
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
};

}  // namespace unspool
