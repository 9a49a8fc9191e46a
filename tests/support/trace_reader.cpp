// SPDX-License-Identifier: MIT
#include "support/trace_reader.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

namespace spool::test {
namespace {

constexpr std::uint64_t packet_header = 96;
constexpr std::uint64_t metadata_header = 37;
constexpr std::uint64_t record_header = 16;

template <class T>
T load(std::string_view bytes, std::uint64_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::uint64_t aligned(std::uint64_t position, std::uint64_t to) {
  return (position + to - 1) / to * to;
}

bool is_segment(const std::string& name) {
  return name.size() == 6 && std::ranges::all_of(name, [](char each) { return each >= '0' && each <= '9'; });
}

}  // namespace

TraceReader::TraceReader(const std::filesystem::path& trace) {
  for (const auto& entry : std::filesystem::directory_iterator{trace}) {
    const std::string name = entry.path().filename();
    if (is_segment(name)) {
      segments_.push_back(entry.path());
    } else if (!name.starts_with('.')) {
      problem(name, "is no segment, but visible");
    }
  }
  std::ranges::sort(segments_);
  for (const auto& each : segments_)
    read_segment(each);
}

void TraceReader::read_segment(const std::filesystem::path& directory) {
  classes_.clear();
  segment_ = static_cast<std::uint32_t>(std::stoul(directory.filename().string()));
  counts_[segment_] = 0;
  read_metadata(contents(directory / "metadata"));
  std::vector<std::filesystem::path> chunks;
  for (const auto& entry : std::filesystem::directory_iterator{directory}) {
    if (entry.path().filename().string().starts_with("stream-")) chunks.push_back(entry.path());
  }
  std::ranges::sort(chunks);
  begins_.push_back(0);
  for (const auto& each : chunks)
    read_chunk(contents(each), each.string());
}

void TraceReader::read_metadata(const std::string& bytes) {
  const std::string where = std::to_string(segment_) + "/metadata";
  if (bytes.size() < metadata_header || load<std::uint32_t>(bytes, 0) != 0x75D1'1D57) {
    return problem(where, "is no packetized metadata");
  }
  uuid_ = bytes.substr(4, 16);
  const std::uint64_t content = load<std::uint32_t>(bytes, 24) / 8;
  if (content < metadata_header || content > bytes.size()) return problem(where, "has a wrong content_size");
  std::istringstream text{bytes.substr(metadata_header, content - metadata_header)};
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("event {")) declare(line);
  }
}

/// event { name = "lock.acquire"; id = 66; stream_id = 0; fields := struct { u32 site; ... }; };
void TraceReader::declare(const std::string& line) {
  static const std::regex head{R"re(name = "([^"]*)"; id = (\d+);)re"};
  static const std::regex field{
      R"re( (u8|u16|u32|u64|p16|p32|p64|i8|i16|i32|i64|f32|f64|boolean|utf8|pointer|duration_\w+) (\w+)(\[\w+\])?;)re"};
  std::smatch found;
  const auto fields_at = line.rfind("fields := struct {");
  if (!std::regex_search(line, found, head) || fields_at == std::string::npos) {
    return problem(std::to_string(segment_) + "/metadata", "cannot be read at: " + line);
  }
  Class& declared = classes_[std::stoull(found[2])];
  declared.name = *names_.insert(found[1]).first;
  const std::string rest = line.substr(fields_at);
  for (auto each = std::sregex_iterator{rest.begin(), rest.end(), field}; each != std::sregex_iterator{}; ++each) {
    const std::string type = (*each)[1];
    const bool text = type == "utf8" && (*each)[3] != "[1]";
    const bool one_byte = type == "boolean" || type.ends_with('8');
    const bool narrow = type.ends_with("16") || type.ends_with("32");
    const unsigned wide = narrow ? static_cast<unsigned>(std::stoul(type.substr(type.size() - 2))) / 8 : 8;
    const unsigned size = one_byte ? 1 : wide;
    declared.fields.push_back({text ? 0 : size, type[0] == 'u' && type != "utf8" ? size : 1, text});
  }
}

bool TraceReader::read_packet_header(std::string_view rest, Packet& out, const std::string& file) {
  if (rest.size() < packet_header || load<std::uint32_t>(rest, 0) != 0xC1FC'1FC1) {
    problem(file, "a packet without a header");
    return false;
  }
  out = {load<std::uint64_t>(rest, 24) / 8, load<std::uint64_t>(rest, 32) / 8, load<std::uint64_t>(rest, 40),
         load<std::uint32_t>(rest, 20), load<std::uint32_t>(rest, 64)};
  if (rest.substr(4, 16) != uuid_) problem(file, "a packet of another segment's UUID");
  if (load<std::uint32_t>(rest, 68) != segment_) problem(file, "a packet of another segment's number");
  const bool fits = out.content >= packet_header && out.content <= out.size && out.size <= rest.size();
  if (!fits) problem(file, "a packet whose sizes do not fit");
  return fits;
}

void TraceReader::read_chunk(const std::string& bytes, const std::string& file) {
  std::uint64_t last_time = 0;
  for (std::uint64_t start = 0; start < bytes.size();) {
    const std::string_view rest = std::string_view{bytes}.substr(start);
    Packet packet;
    if (!read_packet_header(rest, packet, file)) return;
    if (begins_.back() == 0) begins_.back() = packet.begin;  // of the first packet of stream-0000
    if (packet.begin < last_time) problem(file, "a packet begins before the last one's last Record");
    last_time = packet.begin;
    if (packet.content > packet_header) bytes_ += packet.content;
    read_records(rest.substr(0, packet.content), packet, last_time, file);
    start += packet.size;
  }
}

void TraceReader::read_records(std::string_view content, const Packet& packet, std::uint64_t& last_time,
                               const std::string& file) {
  for (std::uint64_t position = packet_header; position < content.size();) {
    ReadRecord record;
    record.thread = packet.thread;
    record.segment = segment_;
    if (!read_record(content, position, record)) return problem(file, "a torn Record");
    if (record.time < last_time) problem(file, "a Record's time goes back");
    last_time = record.time;
    ++counts_[segment_];
    if (packet.stream == 1) {
      ++definitions_;
    } else {
      records_.push_back(record);
    }
  }
}

bool TraceReader::read_record(std::string_view content, std::uint64_t& position, ReadRecord& out) const {
  std::uint64_t at = aligned(position, 8);
  if (at + record_header > content.size()) return false;
  out.time = load<std::uint64_t>(content, at);
  const auto id_and_object = load<std::uint64_t>(content, at + 8);
  out.object = id_and_object >> 16U;
  const auto found = classes_.find(id_and_object & 0xffffU);
  if (found == classes_.end()) return false;
  out.name = found->second.name;
  at += record_header;
  std::size_t integers = 0;
  std::uint64_t last = 0;
  for (const Field& field : found->second.fields) {
    at = aligned(at, field.align);
    const std::uint64_t size = field.text ? last : field.size;
    if (size > content.size() - at) return false;
    if (!field.text) {
      last = 0;
      std::memcpy(&last, content.data() + at, size);
      if (integers < out.fields.size()) out.fields[integers++] = last;
    }
    at += size;
  }
  position = at;
  return true;
}

}  // namespace spool::test
