// SPDX-License-Identifier: MIT
//
// Reads a trace directory in as few lines as the format allows, to hold against what a process says it wrote. Shares
// nothing with the recorder or with unspool but the page that describes the format; trusts nobody: what does not fit is
// a problem, never a guess.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace spool::test {

/// A Record of a CTF stream. `fields`: the first integers among its fields in their order; texts are left out.
struct ReadRecord {
  std::string_view name;
  std::uint64_t time = 0;
  std::uint64_t object = 0;
  std::uint32_t thread = 0;
  std::uint32_t segment = 0;
  std::array<std::uint64_t, 6> fields{};
};

class TraceReader {
 public:
  /// Reads all segments, oldest first.
  explicit TraceReader(const std::filesystem::path& trace);

  /// Of the Record streams: those of a thread in their order.
  const std::vector<ReadRecord>& records() const { return records_; }
  std::uint64_t definitions() const { return definitions_; }
  /// Of all packets that hold a Record, with their headers.
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t records_in(std::uint32_t segment) const { return counts_.at(segment); }
  const std::vector<std::filesystem::path>& segments() const { return segments_; }
  /// When a segment became the current one; `index` counts segments(). 0 where there is none.
  std::uint64_t begin_of(std::size_t index) const { return index < begins_.size() ? begins_[index] : 0; }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  struct Field {
    unsigned size = 0;  ///< bytes
    unsigned align = 1;
    bool text = false;
  };
  struct Class {
    std::string_view name;
    std::vector<Field> fields;
  };
  struct Packet {
    std::uint64_t content = 0;  ///< bytes, as all here
    std::uint64_t size = 0;
    std::uint64_t begin = 0;
    std::uint32_t stream = 0;
    std::uint32_t thread = 0;
  };

  void read_segment(const std::filesystem::path& directory);
  void read_metadata(const std::string& bytes);
  void declare(const std::string& line);
  void read_chunk(const std::string& bytes, const std::string& file);
  void read_records(std::string_view packet, const Packet& header, std::uint64_t& last_time, const std::string& file);
  bool read_packet_header(std::string_view rest, Packet& out, const std::string& file);
  bool read_record(std::string_view content, std::uint64_t& position, ReadRecord& out) const;
  void problem(const std::string& where, const std::string& what) { problems_.push_back(where + ": " + what); }

  std::vector<std::filesystem::path> segments_;
  std::map<std::uint64_t, Class> classes_;  ///< of the segment being read
  std::map<std::uint32_t, std::uint64_t> counts_;
  std::vector<std::uint64_t> begins_;
  std::set<std::string> names_;
  std::vector<ReadRecord> records_;
  std::vector<std::string> problems_;
  std::string uuid_;
  std::uint32_t segment_ = 0;
  std::uint64_t definitions_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace spool::test
