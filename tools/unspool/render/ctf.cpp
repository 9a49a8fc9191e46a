// SPDX-License-Identifier: MIT
#include <spool/trace/ctf.hpp>

#include <fmt/format.h>
#include <unspool/read/cursor.hpp>
#include <unspool/read/metadata_file.hpp>
#include <unspool/read/refusal.hpp>
#include <unspool/read/tsdl.hpp>
#include <unspool/render/ctf.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace unspool {
namespace {

constexpr std::size_t piece = 64 << 10;

std::string failure(const std::string& path) {
  return fmt::format("{}: cannot be written ({})", path, std::strerror(errno));
}

/// No name that stands in a trace leads out of the directory.
std::string plain(std::string_view name) {
  std::string text;
  for (const char each : name.substr(0, 64)) {
    const bool harmless = (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') ||
                          (each >= '0' && each <= '9') || each == '-' || each == '_' || (each == '.' && !text.empty());
    text += harmless ? each : '_';
  }
  return text.empty() ? "program" : text;
}

File create(const std::string& path) {
  return File::adopt(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

/// A declaration that breaks off at the end would have other readers refuse all of it.
std::string_view whole_declarations(std::string_view text) {
  constexpr std::string_view end = "};\n";
  const auto at = text.rfind(end);
  return at == std::string_view::npos ? text : text.substr(0, at + end.size());
}

/// What is different in the copy of a packet.
struct Changes {
  std::uint64_t end = 0;                                      ///< of its content
  std::vector<std::pair<std::uint64_t, trace::Ticks>> times;  ///< by place, which Records get another time
};

/// What a reader that gives up at the first fault would stumble over.
Changes repairs_of(Trace& trace, const Packet& packet, const File& file) {
  Changes changes;
  Cursor cursor{trace, packet};
  Record record;
  trace::Ticks last = packet.begin;
  changes.end = cursor.position();
  while (cursor.next(record)) {
    changes.end = cursor.position();
    trace::Ticks stored = record.time;
    // A time that was corrected is that of the Record before it.
    if (record.time == last) (void)file.read(record.place.offset, std::as_writable_bytes(std::span{&stored, 1}));
    if (stored != record.time) changes.times.emplace_back(record.place.offset, record.time);
    last = record.time;
  }
  changes.end = std::max(changes.end, cursor.position());
  return changes;
}

void apply(const Changes& changes, std::uint64_t at, std::span<std::byte> bytes) {
  constexpr auto by_place = &std::pair<std::uint64_t, trace::Ticks>::first;
  for (auto each = std::ranges::lower_bound(changes.times, at, {}, by_place);
       each != changes.times.end() && each->first + sizeof each->second <= at + bytes.size(); ++each)
    std::memcpy(bytes.data() + (each->first - at), &each->second, sizeof each->second);
}

/// One packet, without the empty space behind its content.
bool copy_packet(const File& from, const Packet& packet, const Changes& changes, const File& to) {
  trace::PacketHeader header{};
  if (from.read(packet.offset, std::as_writable_bytes(std::span{&header, 1})) < sizeof header) return true;
  const std::uint64_t size = changes.end - packet.offset;
  header.content_size = size * 8;
  header.packet_size = trace::align_record(size) * 8;
  if (!to.append(std::as_bytes(std::span{&header, 1}))) return false;
  std::vector<std::byte> buffer(piece);
  const std::uint64_t padded = packet.offset + trace::align_record(size);
  for (std::uint64_t at = packet.offset + sizeof header; at < padded;) {
    const auto bytes = std::span{buffer}.first(std::min<std::uint64_t>(piece, padded - at));
    std::ranges::fill(bytes, std::byte{0});
    if (at < changes.end) (void)from.read(at, bytes.first(std::min<std::uint64_t>(bytes.size(), changes.end - at)));
    apply(changes, at, bytes);
    if (!to.append(bytes)) return false;
    at += bytes.size();
  }
  return true;
}

/// In packets where it was in packets: one.
std::string write_metadata(const Segment& segment, const std::string& directory) {
  const File from = segment.files->open("metadata");
  const MetadataText metadata = read_metadata(from);
  const std::string_view text = whole_declarations(metadata.text);
  trace::MetadataHeader header{};
  const std::size_t got = from.read(0, std::as_writable_bytes(std::span{&header, 1}));
  const bool packetized = got == sizeof header && header.magic == trace::metadata_magic;
  header.content_size = static_cast<std::uint32_t>((sizeof header + text.size()) * 8);
  header.packet_size = header.content_size;
  const std::string path = directory + "/metadata";
  const File file = create(path);
  const bool done = file && (!packetized || file.append(std::as_bytes(std::span{&header, 1}))) &&
                    file.append(std::as_bytes(std::span{text}));
  return done ? std::string{} : failure(path);
}

/// What write_metadata() writes is enough for who reads it.
bool says_enough(const Segment& segment) {
  MetadataText metadata = read_metadata(segment.files->open("metadata"));
  metadata.text = std::string{whole_declarations(metadata.text)};
  const Declared declared = parse_tsdl(metadata.text, [](Declaration&&, const Declared&) {});
  return refusal_of(declared, metadata, segment.path).empty();
}

void add(Repair& repair, const Packet& packet, const Changes& changes) {
  ++repair.packets;
  repair.times += changes.times.size();
  if (changes.end >= packet.end) return;
  ++repair.cut;
  repair.bytes += packet.end - changes.end;
}

/// The packets of one chunk, in the order in which they stand there. `repair`: null where they stay as they are.
std::string write_chunk(Trace& trace, const std::vector<const Packet*>& packets, const std::string& directory,
                        Repair* repair) {
  const std::string path = directory + '/' + trace.chunk_of(*packets.front()).name;
  const File from = trace.open_chunk(*packets.front());
  if (!from) {
    trace.problems().damage(
        fmt::format("{}: cannot be opened again ({})", trace.where(*packets.front()), from.error()));
    return {};
  }
  const File to = create(path);
  if (!to) return failure(path);
  for (const Packet* packet : packets) {
    const Changes changes = repair == nullptr ? Changes{packet->end, {}} : repairs_of(trace, *packet, from);
    if (repair != nullptr) add(*repair, *packet, changes);
    if (!copy_packet(from, *packet, changes, to)) return failure(path);
  }
  return {};
}

std::string write_all(Trace& trace, const std::string& directory, std::string& place, Repair* repair) {
  if (trace.packets().empty())
    return fmt::format("{}: nothing in it can be read, so no other trace is made of it", trace.process().path);
  // By segment and chunk: what is unpacked is so once.
  std::map<std::tuple<std::uint32_t, std::uint32_t>, std::vector<const Packet*>> chunks;
  for (const Packet& packet : trace.packets())
    chunks[{trace.segment_of(packet).number, packet.chunk}].push_back(&packet);
  const Segment* judged = nullptr;
  for (const auto& [key, packets] : chunks) {
    const Segment& segment = trace.segment_of(*packets.front());
    if (std::exchange(judged, &segment) != &segment && !says_enough(segment))
      return fmt::format("{}/metadata: breaks off too early for another trace to be made of it: copy the segment again",
                         segment.path);
  }
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return failure(directory);
  place = fmt::format("{}/{}-{}.spool", directory, plain(trace.process().program), trace.process().pid);
  if (::mkdir(place.c_str(), 0700) != 0) return failure(place);
  std::string made;
  for (auto& [key, packets] : chunks) {
    std::ranges::sort(packets, {}, &Packet::offset);
    const Segment& segment = trace.segment_of(*packets.front());
    const std::string path = fmt::format("{}/{:06}", place, segment.number);
    std::string why;
    if (path != made) why = ::mkdir(path.c_str(), 0700) != 0 ? failure(path) : write_metadata(segment, path);
    made = path;
    if (why.empty()) why = write_chunk(trace, packets, path, repair);
    if (!why.empty()) return why;
  }
  return {};
}

/// Of any content: what reads it doubts it anyway.
std::string copy_status(const std::string& trace, const std::string& place) {
  constexpr std::uint64_t most = 64 << 20;
  const File from = File::open(File::open_directory(trace), ".status");
  if (!from) return {};  // an archived trace has none
  const std::string path = place + "/.status";
  const File to = create(path);
  if (!to) return failure(path);
  std::vector<std::byte> buffer(piece);
  for (std::uint64_t at = 0; at < most;) {
    const std::size_t got = from.read(at, buffer);
    if (got == 0) break;
    if (!to.append(std::span{buffer}.first(got))) return failure(path);
    at += got;
  }
  return {};
}

}  // namespace

std::string write_ctf(Trace& trace, const std::string& directory) {
  std::string place;
  return write_all(trace, directory, place, nullptr);
}

std::string write_repaired(Trace& trace, const std::string& directory, Repair& repair) {
  std::string why = write_all(trace, directory, repair.place, &repair);
  return why.empty() ? copy_status(trace.process().path, repair.place) : why;
}

}  // namespace unspool
