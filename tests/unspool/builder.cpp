// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/builder.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace unspool_test {
namespace {

namespace fs = std::filesystem;
using trace::Type;

template <class T>
void append(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

std::uint64_t integer(const trace::Value& value) {
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<std::uint64_t>(*number);
  return std::get<bool>(value) ? 1 : 0;
}

trace::Value of(std::uint64_t number) {
  return number;
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (fs::temp_directory_path() / "unspool-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
  path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string read_file(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream file{path, std::ios::binary | std::ios::trunc};
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void patch_file(const std::string& path, std::size_t at, char byte) {
  std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

ChunkBuilder::ChunkBuilder(const trace::Uuid& uuid, std::uint32_t segment, std::uint32_t stream, std::uint32_t thread,
                           trace::Ticks begin) {
  trace::PacketHeader header{};
  header.magic = trace::packet_magic;
  header.uuid = uuid;
  header.stream_id = stream;
  header.segment = segment;
  headers_.emplace_back(0, header);
  content_.resize(sizeof header);
  header = {};
  this->header().thread_id = thread;
  this->header().timestamp_begin = begin;
  this->header().content_size = sizeof header * 8;
}

ChunkBuilder& ChunkBuilder::chain(std::uint32_t thread, trace::Ticks begin) {
  content_.resize(trace::align_record(content_.size()));
  trace::PacketHeader next = header();
  header().packet_size = (content_.size() - headers_.back().first) * 8;
  next.thread_id = thread;
  next.timestamp_begin = begin;
  next.content_size = sizeof next * 8;
  headers_.emplace_back(content_.size(), next);
  content_.resize(content_.size() + sizeof next);
  return *this;
}

void ChunkBuilder::begin_record(trace::Ticks time, std::uint16_t id, trace::ObjectNumber object) {
  content_.resize(trace::align_record(content_.size()));
  append(content_, trace::RecordHeader{time, trace::id_and_object(id, object)});
}

void ChunkBuilder::end_record() {
  ++records_;
  header().content_size = (content_.size() - headers_.back().first) * 8;
}

void ChunkBuilder::put(const trace::Field& field, const trace::Value& value, bool packed) {
  const auto aligned = [&](std::size_t size) {
    if (!packed) content_.resize((content_.size() + size - 1) / size * size);
  };
  switch (field.type) {
    case Type::boolean:
    case Type::u8:
    case Type::i8:
      return append(content_, static_cast<std::uint8_t>(integer(value)));
    case Type::u16:
    case Type::i16:
      aligned(2);
      return append(content_, static_cast<std::uint16_t>(integer(value)));
    case Type::u32:
    case Type::i32:
      aligned(4);
      return append(content_, static_cast<std::uint32_t>(integer(value)));
    case Type::u64:
    case Type::i64:
      aligned(8);
      return append(content_, integer(value));
    case Type::f32:
      return append(content_, std::get<float>(value));
    case Type::f64:
      return append(content_, std::get<double>(value));
    case Type::text: {
      const auto text = std::get<std::string_view>(value);
      append(content_, static_cast<std::uint32_t>(text.size()));
      content_ += text;
    }
  }
}

ChunkBuilder& ChunkBuilder::record(trace::Ticks time, std::string_view name, trace::ObjectNumber object,
                                   const std::vector<trace::Value>& fields) {
  const trace::Row* const row = trace::row_named(name);
  if (row == nullptr || row->fields().size() != fields.size()) throw std::logic_error{"no such row or other fields"};
  begin_record(time, trace::record_id(row->kind, row->verb), object);
  for (std::size_t i = 0; i < fields.size(); ++i)
    put(row->fields()[i], fields[i], row->packed);
  end_record();
  return *this;
}

ChunkBuilder& ChunkBuilder::transition(trace::Ticks time, std::string_view row, trace::ObjectNumber object,
                                       trace::SiteNumber site, trace::Sequence seq, std::uint32_t a, std::uint32_t b) {
  return record(time, row, object, {of(site), of(seq), of(a), of(b)});
}

ChunkBuilder& ChunkBuilder::message(trace::Ticks time, const trace::MessageClass& message_class, trace::SiteNumber site,
                                    const std::vector<trace::Value>& arguments) {
  begin_record(time, message_class.id, 0);
  append(content_, site);
  for (std::size_t i = 0; i < arguments.size(); ++i)
    put(message_class.arguments[i], arguments[i], true);
  end_record();
  return *this;
}

ChunkBuilder& ChunkBuilder::raw(trace::Ticks time, std::uint16_t id, trace::ObjectNumber object,
                                std::string_view fields) {
  begin_record(time, id, object);
  content_ += fields;
  end_record();
  return *this;
}

std::string ChunkBuilder::bytes(std::size_t size) const {
  std::string file = content_;
  file.resize(std::max<std::size_t>(size, (content_.size() + 4095) / 4096 * 4096));
  for (const auto& [at, header] : headers_) {
    trace::PacketHeader written = header;
    if (written.packet_size == 0) written.packet_size = (file.size() - at) * 8;
    std::memcpy(file.data() + at, &written, sizeof written);
  }
  return file;
}

SegmentBuilder::SegmentBuilder(std::uint32_t number, const trace::Process& process) : number_(number) {
  for (std::size_t i = 0; i < uuid.size(); ++i)
    uuid[i] = static_cast<std::uint8_t>(number * 16 + i);
  metadata = trace::metadata_text(process, uuid, number);
  chunks_.emplace_back(uuid, number_, trace::definition_stream, 0, 0);
}

ChunkBuilder& SegmentBuilder::writer(std::uint32_t thread, trace::Ticks begin) {
  return chunks_.emplace_back(uuid, number_, trace::record_stream, thread, begin);
}

SegmentBuilder& SegmentBuilder::define_thread(std::uint32_t number, std::string_view name, trace::Origin origin,
                                              std::uint32_t creator, bool daemon) {
  definitions().record(
      definition_time, "definition.thread", number,
      {of(1000 + number), of(creator), of(daemon ? 1 : 0), of(static_cast<std::uint64_t>(origin)), name});
  return *this;
}

SegmentBuilder& SegmentBuilder::define_object(trace::ObjectNumber number, trace::Kind kind, std::string_view name,
                                              trace::SiteNumber site, trace::ObjectNumber parent) {
  definitions().record(definition_time, "definition.object", number,
                       {of(site), of(static_cast<std::uint64_t>(kind)), of(parent), name});
  return *this;
}

SegmentBuilder& SegmentBuilder::define_site(trace::SiteNumber number, std::string_view file, std::uint32_t line,
                                            std::string_view function) {
  definitions().record(definition_time, "definition.site", 0, {of(number), of(line), file, function});
  return *this;
}

SegmentBuilder& SegmentBuilder::define_clock(trace::Ticks time, std::uint64_t monotonic, std::uint64_t realtime,
                                             std::uint64_t frequency) {
  return define_clock(time, monotonic, realtime, monotonic, frequency);
}

SegmentBuilder& SegmentBuilder::define_clock(trace::Ticks time, std::uint64_t monotonic, std::uint64_t realtime,
                                             std::uint64_t boottime, std::uint64_t frequency) {
  definition_time = time;
  definitions().record(time, "definition.clock", 0, {of(monotonic), of(realtime), of(boottime), of(frequency)});
  return *this;
}

SegmentBuilder& SegmentBuilder::define_mode(trace::Mode mode) {
  definitions().record(definition_time, "definition.mode", 0, {of(static_cast<std::uint64_t>(mode))});
  return *this;
}

SegmentBuilder& SegmentBuilder::define_message(const trace::MessageClass& message_class) {
  metadata += trace::message_class_text(message_class);
  return *this;
}

std::uint64_t SegmentBuilder::records() const {
  std::uint64_t count = 0;
  for (const ChunkBuilder& chunk : chunks_)
    count += chunk.records();
  return count;
}

void SegmentBuilder::write(const std::string& directory) const {
  fs::create_directories(directory);
  std::string file;
  if (!plain_metadata) {
    const auto bits = static_cast<std::uint32_t>((sizeof(trace::MetadataHeader) + metadata.size()) * 8);
    append(file, trace::MetadataHeader{trace::metadata_magic, uuid, 0, bits, bits, 0, 0, 0, 1, 8});
  }
  write_file(directory + "/metadata", file + metadata);
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    write_file(fmt::format("{}/stream-{:04}", directory, i), chunks_[i].bytes());
  }
}

TraceBuilder::TraceBuilder() {
  process.program = "bank";
  process.hostname = "host";
  process.pid = 4711;
  process.started = "2026-01-02T03:04:05Z";
  process.clock = "tsc";
  process.frequency = 1'000'000'000;
}

SegmentBuilder& TraceBuilder::segment(std::uint32_t number) {
  return segments_.try_emplace(number, number, process).first->second;
}

std::string TraceBuilder::segment_path(std::uint32_t number) const {
  return fmt::format("{}/{:06}", path(), number);
}

std::uint64_t TraceBuilder::records() const {
  std::uint64_t count = 0;
  for (const auto& [number, segment] : segments_)
    count += segment.records();
  return count;
}

void TraceBuilder::write() const {
  fs::create_directories(path());
  for (const auto& [number, segment] : segments_)
    segment.write(segment_path(number));
  if (status_.empty()) return;
  trace::StatusHeader header{};
  header.magic = trace::status_magic;
  header.entry_size = sizeof(trace::StatusEntry);
  header.entry_count = static_cast<std::uint32_t>(status_.size());
  header.mode = static_cast<std::uint32_t>(trace::Mode::all);
  header.pid = process.pid;
  header.frequency = process.frequency;
  header.lost = lost;
  std::string file;
  append(file, header);
  for (const auto& entry : status_)
    append(file, entry);
  write_file(path() + "/.status", file);
}

}  // namespace unspool_test
