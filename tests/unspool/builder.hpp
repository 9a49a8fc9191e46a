// SPDX-License-Identifier: MIT
//
// Traces for tests, written byte by byte as the library writes them, but by hand: with any times, numbers and faults.
// Uses the trace room's headers and metadata text only, so it works without the library.
//
//   TraceBuilder trace;
//   auto& segment = trace.segment(1);
//   segment.define_thread(1, "main");
//   segment.define_object(lock, trace::Kind::lock, "accounts");
//   segment.writer(1, 100).transition(110, "lock.acquire", lock, site, 1).transition(120, "lock.release", lock, site, 2);
//   trace.write();                       // into a directory of its own, removed with the builder
//   run_on(trace.path());
#pragma once

#include <spool/trace/ctf.hpp>
#include <spool/trace/ids.hpp>
#include <spool/trace/message.hpp>
#include <spool/trace/metadata.hpp>
#include <spool/trace/schema.hpp>
#include <spool/trace/status.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unspool_test {

namespace trace = spool::trace;

/// The number of the n-th object, from 1.
constexpr trace::ObjectNumber object_number(std::uint64_t n) {
  return trace::first_object_number + n - 1;
}

/// A directory under the system's temporary one, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view bytes);
/// Changes one byte of a file.
void patch_file(const std::string& path, std::size_t at, char byte);

/// One chunk: a chain of packets. All calls append to the last packet.
class ChunkBuilder {
 public:
  ChunkBuilder(const trace::Uuid& uuid, std::uint32_t segment, std::uint32_t stream, std::uint32_t thread,
               trace::Ticks begin);

  /// Ends the packet and begins another one behind it.
  ChunkBuilder& chain(std::uint32_t thread, trace::Ticks begin);
  ChunkBuilder& transition(trace::Ticks time, std::string_view row, trace::ObjectNumber object, trace::SiteNumber site,
                           trace::Sequence seq, std::uint32_t a = 0, std::uint32_t b = 0);
  /// Any Record of the table: its fields in order.
  ChunkBuilder& record(trace::Ticks time, std::string_view row, trace::ObjectNumber object,
                       const std::vector<trace::Value>& fields);
  /// A typed message.
  ChunkBuilder& message(trace::Ticks time, const trace::MessageClass& message_class, trace::SiteNumber site,
                        const std::vector<trace::Value>& arguments);
  /// A Record of any id, with any bytes behind its header.
  ChunkBuilder& raw(trace::Ticks time, std::uint16_t id, trace::ObjectNumber object, std::string_view fields);

  /// The last packet's header, to spoil it.
  trace::PacketHeader& header() { return headers_.back().second; }
  std::uint64_t records() const { return records_; }

  /// The file, at least `size` bytes long.
  std::string bytes(std::size_t size = 4096) const;

 private:
  void begin_record(trace::Ticks time, std::uint16_t id, trace::ObjectNumber object);
  void put(const trace::Field& field, const trace::Value& value, bool packed);
  void end_record();

  std::string content_;
  std::vector<std::pair<std::size_t, trace::PacketHeader>> headers_;  ///< where each packet begins
  std::uint64_t records_ = 0;
};

class SegmentBuilder {
 public:
  SegmentBuilder(std::uint32_t number, const trace::Process& process);

  /// A new chunk for a thread's Records.
  ChunkBuilder& writer(std::uint32_t thread, trace::Ticks begin);
  /// An untouched chunk.
  void untouched(trace::Ticks begin) { writer(0, begin); }
  ChunkBuilder& definitions() { return chunks_.front(); }
  ChunkBuilder& chunk(std::size_t index) { return chunks_[index]; }

  SegmentBuilder& define_thread(std::uint32_t number, std::string_view name,
                                trace::Origin origin = trace::Origin::spool, std::uint32_t creator = 0,
                                bool daemon = false);
  SegmentBuilder& define_object(trace::ObjectNumber number, trace::Kind kind, std::string_view name,
                                trace::SiteNumber site = 0, trace::ObjectNumber parent = 0);
  SegmentBuilder& define_site(trace::SiteNumber number, std::string_view file, std::uint32_t line,
                              std::string_view function = "f");
  SegmentBuilder& define_clock(trace::Ticks time, std::uint64_t monotonic, std::uint64_t realtime,
                               std::uint64_t frequency);
  SegmentBuilder& define_clock(trace::Ticks time, std::uint64_t monotonic, std::uint64_t realtime,
                               std::uint64_t boottime, std::uint64_t frequency);
  SegmentBuilder& define_mode(trace::Mode mode);
  SegmentBuilder& define_message(const trace::MessageClass& message_class);

  std::uint64_t records() const;
  void write(const std::string& directory) const;

  trace::Uuid uuid{};
  std::string metadata;         ///< the text; may be spoiled
  bool plain_metadata = false;  ///< without packets around it
  trace::Ticks definition_time = 1;

 private:
  std::uint32_t number_;
  std::deque<ChunkBuilder> chunks_;
};

class TraceBuilder {
 public:
  TraceBuilder();

  SegmentBuilder& segment(std::uint32_t number);
  /// An entry of `.status`; without one there is no such file.
  void status(const trace::StatusEntry& entry) { status_.push_back(entry); }
  /// All segments into the trace directory.
  void write() const;

  std::string parent() const { return directory_.path(); }
  std::string path() const { return directory_.path() + "/bank-4711.spool"; }
  std::string segment_path(std::uint32_t number) const;
  std::uint64_t records() const;  ///< as CTF counts: with definitions

  trace::Process process;  ///< change it before the first segment
  std::uint64_t lost = 0;  ///< as the status file says

 private:
  TemporaryDirectory directory_;
  std::map<std::uint32_t, SegmentBuilder> segments_;
  std::vector<trace::StatusEntry> status_;
};

}  // namespace unspool_test
