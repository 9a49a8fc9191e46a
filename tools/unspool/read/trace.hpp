// SPDX-License-Identifier: MIT
//
// One trace directory, or one segment, opened: what the process says of itself, its definitions, and where whose
// packets stand. Owns the files; the Records are read by a Cursor for each packet.
#pragma once

#include <unspool/model/model.hpp>
#include <unspool/read/classes.hpp>
#include <unspool/read/packet.hpp>
#include <unspool/read/problems.hpp>
#include <unspool/read/segment_files.hpp>

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace unspool {

/// How much memory all open cursors of a trace may use: a sparse file can claim a terabyte of Records, or a long text
/// in every thread.
class Buffers {
 public:
  /// What one cursor reads at a time.
  std::uint64_t window() const { return used_ < plenty ? 64 << 10 : 8 << 10; }
  /// For a single long Record.
  bool may_grow(std::uint64_t more) const { return used_ + more <= most; }
  void resize(std::uint64_t from, std::uint64_t to) { used_ = used_ - from + to; }

 private:
  static constexpr std::uint64_t plenty = 64 << 20;
  static constexpr std::uint64_t most = 256 << 20;
  std::uint64_t used_ = 0;
};

/// A directory of one trace, or of one segment of it, or the archive of one.
struct TracePath {
  std::string path;
  bool is_segment = false;
  bool is_archive = false;
};

struct Segment {
  std::uint32_t number = 0;
  std::string path;
  std::unique_ptr<SegmentFiles> files;
  ClassTable classes;
};

/// Thread-bound; not movable, as Records and cursors point into it.
class Trace {
 public:
  /// nullptr: nothing of it can be read, and `refusal` is the sentence that says why.
  static std::unique_ptr<Trace> open(const TracePath& path, std::string& refusal);

  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  Process& process() { return process_; }
  Problems& problems() { return problems_; }
  Buffers& buffers() { return buffers_; }
  const Segment& segment_of(const Packet& packet) const { return *segments_[chunks_[packet.chunk].segment]; }
  const Chunk& chunk_of(const Packet& packet) const { return chunks_[packet.chunk]; }
  File open_chunk(const Packet& packet) const;
  /// It is the next that will be opened of its thread.
  void expect(const Packet& packet) const { segment_of(packet).files->expect(chunk_of(packet).name, packet.offset); }
  std::string where(const Packet& packet) const;

  /// All packets with Records in them: by thread, then segment, then begin. Definitions are those of thread 0.
  const std::vector<Packet>& packets() const { return packets_; }

  /// A trace.loss Record was read from this packet. Adds to the Process what the packet headers of that chunk have
  /// not said already.
  void lost(const Packet& packet, std::uint64_t count);
  /// A Record was passed over because its class is not known here.
  void passed_over(const RecordClass& record_class) {
    if (!glancing_) ++passed_over_[&record_class];
  }
  /// While there is one, nothing that is read is reported or counted: it is read again.
  class Glance {
   public:
    explicit Glance(Trace& trace) : trace_{trace} { trace_.glance(true); }
    Glance(const Glance&) = delete;
    Glance& operator=(const Glance&) = delete;
    ~Glance() { trace_.glance(false); }

   private:
    Trace& trace_;
  };
  /// After the last Record: says what was passed over.
  void finish();
  /// A Record was passed over so far: sequences may have gaps.
  bool has_passed_over() const { return !passed_over_.empty(); }

 private:
  explicit Trace(const TracePath& path) : problems_(process_) { process_.path = path.path; }

  bool open_segments(const TracePath& path, std::string& refusal);
  /// By its number: its directory, its archive, or both.
  using Places = std::map<std::uint32_t, std::pair<std::string, std::string>>;
  Places find_segments(const std::string& directory);
  bool open_segment(const std::string& directory, const std::string& archive, std::string& refusal);
  bool add_segment(const std::string& path, std::unique_ptr<SegmentFiles> files, std::string& refusal);
  std::string read_declarations(Segment& segment, trace::Uuid& uuid);
  void describe(const Declared& declared, std::uint32_t segment);
  void read_chunks(const Segment& segment, const Expected& expected);
  void read_chunk(const Segment& segment, const Expected& expected, std::uint32_t number, const std::string& name);
  void sort_packets();
  void count_lost(std::uint64_t more);
  void find_gaps();
  void find_first_time();
  void glance(bool on) {
    glancing_ = on;
    problems_.mute(on);
  }

  std::uint32_t described_ = 0;  ///< the lowest segment so far: its clock counts
  Process process_;
  Problems problems_;
  Unpacker unpacker_{problems_};
  Buffers buffers_;
  ClassPool classes_;
  std::vector<std::unique_ptr<Segment>> segments_;
  std::vector<Chunk> chunks_;
  std::vector<Packet> packets_;
  bool glancing_ = false;
  std::uint64_t counted_lost_ = 0;  ///< by headers and Records
  std::unordered_map<const RecordClass*, std::uint64_t> passed_over_;
};

}  // namespace unspool
