// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/read/packet.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

namespace unspool {
namespace {

using Header = trace::PacketHeader;

class Chain {
 public:
  Chain(const File& file, const Expected& expected, std::uint32_t index, const std::string& where, Chunk& chunk,
        std::vector<Packet>& packets, Problems& problems)
      : file_(file),
        size_(file.size()),
        expected_(expected),
        index_(index),
        where_(where),
        chunk_(chunk),
        packets_(packets),
        problems_(problems) {}

  void follow() {
    if (size_ == 0) problems_.damage(fmt::format("{}: is empty: it was cut; copy the trace again", where_));
    while (offset_ < size_ && read_header()) {
      const std::uint64_t end = content_end();
      if (end > offset_ + sizeof header_ && belongs_here(end)) {
        packets_.push_back(
            {index_, header_.thread_id, header_.stream_id, offset_, end, header_.timestamp_begin, hash_of(header_)});
      }
      chunk_.discarded = std::max(chunk_.discarded, header_.events_discarded);
      if (!to_next(end)) return;
    }
  }

 private:
  std::uint64_t left() const { return size_ - offset_; }
  std::uint64_t content() const { return header_.content_size / 8; }
  std::uint64_t packet() const { return header_.packet_size / 8; }

  bool read_header() {
    const auto got = file_.read(offset_, std::as_writable_bytes(std::span{&header_, 1}));
    if (got < sizeof header_) {
      problems_.damage(fmt::format("{}: ends inside the packet header at byte {}: it was cut", where_, offset_), got);
      return false;
    }
    if (header_.magic == trace::packet_magic) return true;
    problems_.damage(
        fmt::format("{}: no packet begins at byte {}, where the chain of packets leads; the rest of the file, "
                    "{} bytes, is left out",
                    where_, offset_, left()),
        left());
    return false;
  }

  /// Where the content ends as far as it is there.
  std::uint64_t content_end() {
    std::uint64_t length = content();
    if (length < sizeof header_) {
      problems_.damage(
          fmt::format("{}: the packet at byte {} has a content of {} bytes, less than its header; its Records "
                      "are left out",
                      where_, offset_, length));
      return offset_;
    }
    if (length > packet() && packet() >= sizeof header_) {
      problems_.damage(
          fmt::format("{}: the packet at byte {} claims a content of {} bytes in {} bytes; what is in it is "
                      "read",
                      where_, offset_, length, packet()));
      length = packet();
    }
    if (length > left()) {
      problems_.damage(fmt::format("{}: is cut short: the packet at byte {} has {} bytes of Records, the file ends {} "
                                   "bytes earlier",
                                   where_, offset_, length, length - left()),
                       length - left());
      length = left();
    }
    return offset_ + length;
  }

  bool belongs_here(std::uint64_t end) {
    const auto left_out = [&](const std::string& why) {
      const std::uint64_t bytes = end - offset_ - sizeof header_;
      problems_.damage(fmt::format("{}: the packet at byte {} {}; its {} bytes of Records are left out", where_,
                                   offset_, why, bytes),
                       bytes);
      return false;
    };
    if (header_.uuid != expected_.uuid) {
      return left_out("belongs to another segment (its UUID is not that of the metadata): files were mixed up");
    }
    if (header_.segment != expected_.segment) {
      return left_out(
          fmt::format("belongs to segment {}, not {}: files were swapped", header_.segment, expected_.segment));
    }
    if (header_.stream_id > trace::definition_stream) {
      return left_out(fmt::format("is of stream class {}, which is not known", header_.stream_id));
    }
    const bool definitions = header_.stream_id == trace::definition_stream;
    if (!definitions && (header_.thread_id == 0 || header_.thread_id > trace::max_thread_number)) {
      return left_out(fmt::format("names no thread ({})", header_.thread_id));
    }
    return true;
  }

  /// Moves on to the next packet of the chain; false at its end.
  bool to_next(std::uint64_t end) {
    const std::uint64_t used = std::max<std::uint64_t>(end - offset_, sizeof header_);
    if (packet() < sizeof header_ || packet() % trace::record_alignment != 0 || header_.packet_size % 8 != 0) {
      problems_.damage(
          fmt::format("{}: the packet at byte {} has a size of {} bits, so that the chain of packets breaks "
                      "there; what follows is left out",
                      where_, offset_, header_.packet_size),
          left() - std::min(used, left()));
      return false;
    }
    if (packet() > left()) {
      if (content() <= left()) {
        problems_.note(
            fmt::format("{}: ends {} bytes before its packet does; no Record is missing", where_, packet() - left()));
      }
      return false;
    }
    offset_ += packet();
    return true;
  }

  const File& file_;
  const std::uint64_t size_;
  const Expected& expected_;
  const std::uint32_t index_;
  const std::string& where_;
  Chunk& chunk_;
  std::vector<Packet>& packets_;
  Problems& problems_;
  Header header_{};
  std::uint64_t offset_ = 0;
};

}  // namespace

std::size_t hash_of(const trace::PacketHeader& header) {
  std::array<char, sizeof header> bytes{};
  std::memcpy(bytes.data(), &header, sizeof header);
  return std::hash<std::string_view>{}({bytes.data(), bytes.size()});
}

void read_packets(const File& file, const Expected& expected, std::uint32_t index, const std::string& where,
                  Chunk& chunk, std::vector<Packet>& packets, Problems& problems) {
  Chain{file, expected, index, where, chunk, packets, problems}.follow();
}

}  // namespace unspool
