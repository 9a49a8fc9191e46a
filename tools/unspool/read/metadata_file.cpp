// SPDX-License-Identifier: MIT
#include <spool/trace/ctf.hpp>

#include <fmt/format.h>
#include <unspool/read/metadata_file.hpp>

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace unspool {
namespace {

namespace trace = spool::trace;
using Header = trace::MetadataHeader;

// 10,000 message classes make about 2 MB.
constexpr std::uint64_t largest = std::uint64_t{32} << 20;

std::string content_of(const File& file) {
  std::string content(std::min(file.size(), largest), '\0');
  content.resize(file.read(0, std::as_writable_bytes(std::span{content})));
  return content;
}

bool begins_with_magic(std::string_view content, std::uint32_t magic) {
  std::uint32_t found = 0;
  if (content.size() < sizeof found) return false;
  std::memcpy(&found, content.data(), sizeof found);
  return found == magic;
}

/// Moves the text of the packet at the front of `content` to `text` and removes the packet; false at the end or where
/// the rest cannot be read, and then `problem` says so.
bool take_packet(std::string_view& content, MetadataText& result) {
  Header header;
  if (content.empty()) return false;
  if (content.size() < sizeof header || !begins_with_magic(content, trace::metadata_magic)) {
    result.problem = fmt::format("has {} bytes behind its last packet that are none", content.size());
    return false;
  }
  std::memcpy(&header, content.data(), sizeof header);
  const std::size_t packet = header.packet_size / 8;
  std::size_t end = header.content_size / 8;
  if (end < sizeof header || packet < end) {
    result.problem = fmt::format("has a broken packet header (content of {} bytes in a packet of {})", end, packet);
    return false;
  }
  if (content.size() < end) {
    result.problem =
        fmt::format("is cut short: it should have {} bytes and ends {} earlier", end, end - content.size());
    end = content.size();
  }
  result.text += content.substr(sizeof header, end - sizeof header);
  content.remove_prefix(std::min<std::size_t>(packet, content.size()));
  return true;
}

}  // namespace

MetadataText read_metadata(const File& file) {
  MetadataText result;
  if (!file) {
    result.problem = fmt::format("cannot be opened ({})", file.error());
    return result;
  }
  const std::string content = content_of(file);
  std::string_view rest = content;
  if (file.size() > largest) result.problem = "is larger than 32 MiB; what comes later is left out";
  if (rest.empty()) {
    result.problem = "is empty";
  } else if (begins_with_magic(rest, trace::metadata_magic)) {
    while (take_packet(rest, result)) {}
  } else if (rest.starts_with("/* CTF 1.")) {
    result.text = content;
  } else if (begins_with_magic(rest, __builtin_bswap32(trace::metadata_magic))) {
    result.problem = "was written on a big-endian machine, which spool does not run on";
  } else {
    result.problem = "is not in the Common Trace Format";
  }
  return result;
}

}  // namespace unspool
