// SPDX-License-Identifier: MIT
#include <spool/trace/ustar.hpp>

#include <fmt/format.h>
#include <unspool/read/definitions.hpp>
#include <unspool/read/find.hpp>
#include <unspool/read/metadata_file.hpp>
#include <unspool/read/refusal.hpp>
#include <unspool/read/status_file.hpp>
#include <unspool/read/trace.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <tuple>

namespace unspool {
namespace {

namespace fs = std::filesystem;

/// The number of a chunk file, by its name; -1: it is none.
std::int64_t chunk_number(const std::string& name) {
  constexpr std::string_view prefix = "stream-";
  std::uint32_t number = 0;
  if (!name.starts_with(prefix)) return -1;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + prefix.size(), end, number);
  return error == std::errc{} && rest == end ? std::int64_t{number} : -1;
}

std::uint32_t narrow(std::int64_t number) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(number, 0, 0xffff'ffff));
}

/// The least Record that tells of an object.
constexpr std::uint64_t record_bytes = 32;

std::uint64_t room_in(const std::vector<Packet>& packets) {
  std::uint64_t bytes = 0;
  for (const Packet& each : packets) {
    if (each.stream == trace::record_stream) bytes += each.end - std::min(each.offset, each.end);
  }
  return bytes / record_bytes;
}

}  // namespace

std::unique_ptr<Trace> Trace::open(const TracePath& path, std::string& refusal) {
  std::unique_ptr<Trace> opened{new Trace{path}};
  if (!opened->open_segments(path, refusal)) return nullptr;
  opened->sort_packets();
  opened->find_gaps();
  opened->find_first_time();
  opened->process_.about_records = room_in(opened->packets_);
  if (!path.is_segment && !path.is_archive) {
    const File directory = File::open_directory(path.path);
    if (directory) read_status(directory, path.path, opened->process_, opened->problems_);
  }
  read_definitions(*opened);
  return opened;
}

/// Hidden files are none of the trace yet, or none any more.
Trace::Places Trace::find_segments(const std::string& directory) {
  Places places;
  for (const std::string& name : visible_names(directory)) {
    const std::string where = fmt::format("{}/{}", directory, name);
    const bool archive = name.ends_with(trace::archive_suffix);
    const std::string stem = archive ? name.substr(0, name.size() - trace::archive_suffix.size()) : name;
    const std::uint32_t number = segment_number(stem);
    if (number == 0) {
      problems_.note(fmt::format("{}: is no segment and is left out", where));
    } else {
      (archive ? places[number].second : places[number].first) = where;
    }
  }
  return places;
}

bool Trace::open_segments(const TracePath& path, std::string& refusal) {
  if (path.is_archive) return open_segment({}, path.path, refusal);
  if (path.is_segment) return open_segment(path.path, {}, refusal);
  const Places places = find_segments(path.path);
  if (places.empty()) refusal = fmt::format("{}: cannot be read or has no segments any more", path.path);
  std::vector<std::string> archives;
  for (const auto& [number, place] : places) {
    if (place.first.empty()) archives.push_back(place.second);
  }
  unpacker_.expect(std::move(archives));
  for (const auto& [number, place] : places) {
    std::string why;
    if (open_segment(place.first, place.second, why)) continue;
    if (refusal.empty()) refusal = why;
    problems_.damage(std::move(why));
  }
  return !segments_.empty();
}

/// The directory is read where both are there. A process that still runs may take it back and leave the archive, which
/// may be younger than our list.
bool Trace::open_segment(const std::string& directory, const std::string& archive, std::string& refusal) {
  if (!directory.empty()) {
    auto files = SegmentFiles::open_directory(directory, refusal);
    if (files != nullptr && add_segment(directory, std::move(files), refusal)) return true;
  }
  const std::string other = archive.empty() ? directory + std::string{trace::archive_suffix} : archive;
  std::error_code error;
  if (archive.empty() && !fs::exists(other, error)) return false;
  auto files = unpacker_.open(other, refusal);
  return files != nullptr && add_segment(other, std::move(files), refusal);
}

bool Trace::add_segment(const std::string& path, std::unique_ptr<SegmentFiles> files, std::string& refusal) {
  auto segment = std::make_unique<Segment>();
  segment->path = path;
  segment->number = segment_number(fs::path{path}.filename().string());
  segment->files = std::move(files);
  trace::Uuid uuid{};
  refusal = read_declarations(*segment, uuid);
  if (!refusal.empty()) return false;
  const auto same = [&](const auto& each) { return each->number == segment->number; };
  if (const auto other = std::ranges::find_if(segments_, same); other != segments_.end()) {
    refusal = fmt::format("{}: says that it is segment {}, as {} does; only the latter is read", path, segment->number,
                          (*other)->path);
    return false;
  }
  segments_.push_back(std::move(segment));
  read_chunks(*segments_.back(), {uuid, segments_.back()->number});
  segments_.back()->files->end_of_headers();
  return true;
}

std::string Trace::read_declarations(Segment& segment, trace::Uuid& uuid) {
  const MetadataText metadata = read_metadata(segment.files->open("metadata"));
  const Declared declared = parse_tsdl(metadata.text, [&](Declaration&& each, const Declared& so_far) {
    const std::uint64_t id = each.id;
    const std::uint64_t stream = each.stream;
    segment.classes.put(id, stream, classes_.made_of(std::move(each), so_far.types));
  });
  std::string refusal = refusal_of(declared, metadata, segment.path);
  if (!refusal.empty()) return refusal;
  if (!metadata.problem.empty()) problems_.damage(fmt::format("{}/metadata: {}", segment.path, metadata.problem));
  if (!declared.whole) {
    problems_.damage(
        fmt::format("{}/metadata: breaks off inside a declaration; Records of a class that is missing are left "
                    "out",
                    segment.path));
  }
  segment.number = narrow(declared.number("segment", segment.number));
  uuid = declared.uuid;
  describe(declared, segment.number);
  return {};
}

void Trace::describe(const Declared& declared, std::uint32_t segment) {
  process_.program = declared.text("procname");
  process_.hostname = declared.text("hostname");
  process_.boot = declared.text("boot");
  process_.started = declared.text("started");
  process_.clock_source = declared.text("clock_source");
  process_.pid = narrow(declared.number("vpid", 0));
  process_.parent_pid = narrow(declared.number("parent_pid", 0));
  process_.tells_limits = declared.number("spool_format_major", 0) > 1 || declared.number("spool_format_minor", 0) > 0;
  // Each segment has its own, as good as was known when it was made; the clock's first reading belongs to the first
  // one.
  if (described_ != 0 && described_ <= segment) return;
  described_ = segment;
  if (declared.frequency > 0) process_.frequency = declared.frequency;
  process_.epoch_seconds = declared.epoch_seconds;
  process_.epoch_ticks = declared.epoch_ticks;
  process_.monotonic_zero = static_cast<std::uint64_t>(std::max<std::int64_t>(0, declared.number("monotonic_zero")));
}

void Trace::read_chunks(const Segment& segment, const Expected& expected) {
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (std::string& name : segment.files->names()) {
    if (const std::int64_t number = chunk_number(name); number >= 0) {
      found.emplace_back(number, std::move(name));
    } else if (name != "metadata") {
      problems_.note(fmt::format("{}/{}: is no chunk and is left out", segment.path, name));
    }
  }
  std::ranges::sort(found);
  if (found.empty()) problems_.damage(fmt::format("{}: has no chunks, only metadata", segment.path));
  std::int64_t next = 0;
  for (const auto& [number, name] : found) {
    if (number > next) {
      problems_.damage(
          fmt::format("{}: chunks are missing, from stream-{:04} to stream-{:04}", segment.path, next, number - 1));
    }
    next = number + 1;
    read_chunk(segment, expected, static_cast<std::uint32_t>(number), name);
  }
}

void Trace::read_chunk(const Segment& segment, const Expected& expected, std::uint32_t number,
                       const std::string& name) {
  const std::string where = segment.path + '/' + name;
  const File file = segment.files->open(name);
  if (!file) {
    problems_.damage(fmt::format("{}: cannot be opened ({})", where, file.error()));
    return;
  }
  Chunk chunk;
  chunk.segment = static_cast<std::uint32_t>(segments_.size() - 1);
  chunk.number = number;
  chunk.name = name;
  const std::size_t before = packets_.size();
  read_packets(file, expected, static_cast<std::uint32_t>(chunks_.size()), where, chunk, packets_, problems_);
  count_lost(chunk.discarded);
  if (packets_.size() > before) chunks_.push_back(std::move(chunk));
}

void Trace::sort_packets() {
  const auto key = [this](const Packet& packet) {
    const std::uint32_t thread = packet.stream == trace::definition_stream ? 0 : packet.thread;
    return std::tuple{thread, segment_of(packet).number, packet.begin, packet.chunk, packet.offset};
  };
  std::ranges::sort(packets_, {}, key);
}

void Trace::find_gaps() {
  std::vector<std::uint32_t> numbers;
  for (const auto& each : segments_)
    numbers.push_back(each->number);
  std::ranges::sort(numbers);
  process_.cut |= numbers.front() > 1;
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    if (numbers[i] == numbers[i - 1] + 1) continue;
    process_.cut = true;
    problems_.note(
        fmt::format("{}: segments {} to {} are not there", process_.path, numbers[i - 1] + 1, numbers[i] - 1));
  }
}

/// A packet begins no later than its first Record, so that few packets have to be looked into.
void Trace::find_first_time() {
  std::vector<const Packet*> by_begin;
  for (const Packet& packet : packets_) {
    if (packet.stream == trace::record_stream) by_begin.push_back(&packet);
  }
  std::ranges::sort(by_begin, {}, &Packet::begin);
  constexpr auto none = std::numeric_limits<trace::Ticks>::max();
  trace::Ticks first = none;
  for (const Packet* packet : by_begin) {
    if (packet->begin >= first) break;
    trace::Ticks time = 0;
    const std::uint64_t at = packet->offset + sizeof(trace::PacketHeader);
    const std::size_t got = open_chunk(*packet).read(at, std::as_writable_bytes(std::span{&time, 1}));
    if (got == sizeof time && time >= packet->begin) first = std::min(first, time);
  }
  process_.first_time = first == none ? 0 : first;
}

File Trace::open_chunk(const Packet& packet) const {
  return segment_of(packet).files->open(chunk_of(packet).name);
}

std::string Trace::where(const Packet& packet) const {
  return segment_of(packet).path + '/' + chunk_of(packet).name;
}

void Trace::lost(const Packet& packet, std::uint64_t count) {
  if (glancing_) return;
  // A chunk's packet headers count what was lost before it, and a trace.loss Record says so as soon as one can be
  // written. Both may mean the same Records: whichever knows more is right.
  Chunk& chunk = chunks_[packet.chunk];
  const std::uint64_t before = std::max(chunk.discarded, chunk.loss_records);
  chunk.loss_records = saturated(chunk.loss_records, count);
  count_lost(std::max(chunk.discarded, chunk.loss_records) - before);
}

void Trace::count_lost(std::uint64_t more) {
  counted_lost_ = saturated(counted_lost_, more);
  // The status file knows the sum, and also of losses that no Record could tell.
  process_.lost = std::max(process_.lost, counted_lost_);
}

void Trace::finish() {
  std::map<std::string, std::uint64_t> by_name;
  for (const auto& [record_class, count] : passed_over_)
    by_name[record_class->name] += count;
  for (const auto& [name, count] : by_name) {
    problems_.note(
        fmt::format("{}: {} Records \"{}\" are passed over: this unspool does not know them, a newer one may",
                    process_.path, count, name));
  }
  passed_over_.clear();
}

}  // namespace unspool
