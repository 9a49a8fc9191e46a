// SPDX-License-Identifier: MIT
//
// Archives as the recorder makes them, with a seek table and an index: read frame by frame, and what is damaged in one
// costs no more than that.
#include <spool/log/packer.hpp>
#include <spool/trace/seekable.hpp>
#include <spool/trace/ustar.hpp>

#include <catch2/catch.hpp>
#include <unspool/builder.hpp>
#include <unspool/reading.hpp>
#include <unspool/running.hpp>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <zstd.h>

using namespace unspool_test;
using Catch::Matchers::Contains;

namespace fs = std::filesystem;

namespace {

const auto lock = object_number(17);
constexpr std::uint32_t long_thread = 1;
constexpr std::uint32_t short_thread = 5;
constexpr std::size_t long_holds = 10'000;  // some frames
constexpr std::size_t short_holds = 1'500;  // one
constexpr std::size_t all_records = 2 * 2 * (long_holds + short_holds);

/// Two segments, each with the Records of two threads.
struct Sample {
  TraceBuilder trace;
  std::string before;  ///< what is in it

  Sample() {
    trace::Sequence seq = 0;
    for (std::uint32_t number = 1; number <= 2; ++number) {
      auto& segment = trace.segment(number);
      trace::Ticks at = 10'000'000 * number;
      segment.definition_time = at;
      segment.define_thread(long_thread, "main", trace::Origin::main);
      segment.define_thread(short_thread, "worker", trace::Origin::spool, 1);
      segment.define_object(lock, trace::Kind::lock, "accounts");
      hold(segment.writer(long_thread, at), at, long_holds, seq);
      hold(segment.writer(short_thread, at), at, short_holds, seq);
    }
    trace.write();
    before = cat(trace.path());
    for (std::uint32_t number = 1; number <= 2; ++number) {
      pack(trace.segment_path(number), number);
      fs::remove_all(trace.segment_path(number));
    }
  }

  static void hold(ChunkBuilder& chunk, trace::Ticks& at, std::size_t holds, trace::Sequence& seq) {
    const std::uint32_t thread = chunk.header().thread_id;
    for (std::size_t i = 0; i < holds; ++i) {
      if (i % 1000 == 999) chunk.chain(thread, at);
      chunk.transition(at + 10, "lock.acquire", lock, 0, seq + 1).transition(at + 20, "lock.release", lock, 0, seq + 2);
      at += 100 + i % 7;
      seq += 2;
    }
  }

  static void pack(const std::string& segment, std::uint32_t number) {
    spool::log::PackOrder order;
    order.directory = segment;
    order.target = segment + std::string{spool::trace::archive_suffix};
    order.number = number;
    order.chunks = 3;
    const spool::log::Packed packed = spool::log::Packer{}.pack(order, false);
    REQUIRE(packed.error == 0);
    REQUIRE(packed.bytes == fs::file_size(order.target));
  }

  static std::string cat(const std::string& path) {
    return unspool_test::unspool("cat --definitions --time ticks " + path).out;
  }

  std::string archive(std::uint32_t number) const { return trace.segment_path(number) + ".tar.zst"; }
};

/// An archive taken apart, to be put together otherwise.
struct Parts {
  std::vector<std::string> frames;
  std::string index;  ///< plain
  std::vector<trace::SeekEntry> entries;

  explicit Parts(const std::string& bytes) {
    trace::SeekFooter footer{};
    std::memcpy(&footer, bytes.data() + bytes.size() - sizeof footer, sizeof footer);
    REQUIRE(footer.magic == trace::seekable_magic);
    std::size_t table = bytes.size() - sizeof footer - footer.frames * sizeof(trace::SeekEntry);
    for (std::size_t at = 0; table < bytes.size() - sizeof footer; table += sizeof(trace::SeekEntry)) {
      trace::SeekEntry entry{};
      std::memcpy(&entry, bytes.data() + table, sizeof entry);
      entries.push_back(entry);
      frames.push_back(bytes.substr(at, entry.stored));
      at += entry.stored;
    }
    index = unpacked(frames.back().substr(sizeof(trace::SkippableHeader)));
    frames.pop_back();
    entries.pop_back();
  }

  static std::string unpacked(const std::string& frame) {
    std::string plain(ZSTD_getFrameContentSize(frame.data(), frame.size()), '\0');
    REQUIRE(ZSTD_decompress(plain.data(), plain.size(), frame.data(), frame.size()) == plain.size());
    return plain;
  }

  static std::string packed(const std::string& plain) {
    std::string frame(ZSTD_compressBound(plain.size()), '\0');
    frame.resize(ZSTD_compress(frame.data(), frame.size(), plain.data(), plain.size(), 3));
    return frame;
  }

  template <class T>
  static std::string bytes_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
  }

  static std::string skippable(std::uint32_t magic, const std::string& content) {
    return bytes_of(trace::SkippableHeader{magic, static_cast<std::uint32_t>(content.size())}) + content;
  }

  std::string together(bool with_index, bool with_checksums = false) const {
    std::string bytes;
    for (const std::string& each : frames)
      bytes += each;
    std::vector<trace::SeekEntry> all = entries;
    if (with_index) {
      const std::string more = skippable(trace::skippable_index, packed(index));
      bytes += more;
      all.push_back({static_cast<std::uint32_t>(more.size()), 0});
    }
    std::string table;
    for (const trace::SeekEntry& each : all)
      table += bytes_of(each) + std::string(with_checksums ? 4 : 0, 'x');
    table += bytes_of(trace::SeekFooter{static_cast<std::uint32_t>(all.size()),
                                        static_cast<std::uint8_t>(with_checksums ? 0x80 : 0), trace::seekable_magic});
    return bytes + skippable(trace::skippable_seek_table, table);
  }
};

/// Nothing but the frames can be read: nowhere is there room to unpack an archive.
Outcome cat_by_frames(const std::string& path) {
  return run("TMPDIR=/no/such/place " + tool() + " cat --definitions --time ticks " + path);
}

}  // namespace

TEST_CASE("an archive of the recorder's is the same trace, and needs no room to be read") {
  const Sample sample;
  CHECK(sample.before.size() > 1'000'000);
  const Outcome packed = cat_by_frames(sample.trace.path());
  CHECK(packed.exit == 0);
  CHECK(packed.err.empty());
  CHECK(packed.out == sample.before);
  CHECK(Parts{read_file(sample.archive(1))}.frames.size() == 5);
  const Reading reading{sample.trace.path()};
  REQUIRE(reading.trace != nullptr);
  CHECK(reading.problems().empty());
  CHECK(reading.records.size() == all_records);
}

TEST_CASE("tar and zstd read an archive of the recorder's") {
  const Sample sample;
  REQUIRE(
      run("cd " + sample.trace.path() + " && for each in *.tar.zst; do tar --zstd -xf $each && rm $each; done").exit ==
      0);
  CHECK(Sample::cat(sample.trace.path()) == sample.before);
}

TEST_CASE("archives with a seek table of others, without an index or with checksums in the table, are read by frames") {
  const Sample sample;
  const Parts parts{read_file(sample.archive(2))};
  for (const bool with_index : {true, false}) {
    for (const bool with_checksums : {true, false}) {
      write_file(sample.archive(2), parts.together(with_index, with_checksums));
      INFO(with_index << with_checksums);
      CHECK(cat_by_frames(sample.trace.path()).out == sample.before);
    }
  }
}

TEST_CASE("where the seek table does not fit the file, the archive is read like any other") {
  const Sample sample;
  const std::string whole = read_file(sample.archive(2));
  const Parts parts{whole};
  const auto same = [&](const std::string& bytes) {
    write_file(sample.archive(2), bytes);
    CHECK(cat_by_frames(sample.trace.path()).out != sample.before);
    return Sample::cat(sample.trace.path()) == sample.before;
  };
  const std::size_t footer = whole.size() - sizeof(trace::SeekFooter);
  const std::size_t table =
      footer - (parts.entries.size() + 1) * sizeof(trace::SeekEntry) - sizeof(trace::SkippableHeader);
  for (const std::size_t at : {footer, footer + 4, footer + 5, table + sizeof(trace::SkippableHeader)}) {
    std::string spoiled = whole;
    spoiled[at] = static_cast<char>(spoiled[at] ^ 0x11);
    INFO(at - table);
    CHECK(same(spoiled));
  }
  Parts bomb = parts;
  bomb.entries[1].plain = 1U << 30U;
  CHECK(same(bomb.together(true)));
  bomb.entries[1] = {200U << 20U, parts.entries[1].plain};
  CHECK(same(bomb.together(true)));
  bomb.entries = parts.entries;
  bomb.entries.insert(bomb.entries.begin(), {0, 1});
  CHECK(same(bomb.together(true)));
  bomb.entries.assign(std::size_t{1} << 17U, {0, 0});
  CHECK(same(bomb.together(true)));
}

TEST_CASE("a damaged frame is told, and costs the Records in it") {
  const Sample sample;
  const std::string whole = read_file(sample.archive(1));
  const Parts parts{whole};
  std::string spoiled = whole;
  // the second frame, which holds the middle of the long thread's chunk
  const std::size_t begin = parts.entries[0].stored;
  spoiled[begin + parts.entries[1].stored / 2] ^= 0x10;
  write_file(sample.archive(1), spoiled);
  const Reading reading{sample.trace.path()};
  REQUIRE(reading.trace != nullptr);
  CHECK_THAT(reading.problems(), Contains("000001.tar.zst: the zstd data is damaged") &&
                                     Contains(" in the bytes " + std::to_string(begin) + " to " +
                                              std::to_string(begin + parts.entries[1].stored) + "; the " +
                                              std::to_string(parts.entries[1].plain) +
                                              " bytes of the segment in them are left out; copy the archive again") &&
                                     Contains("000001.tar.zst/stream-0001: ended at byte"));
  const std::size_t lost = all_records - reading.records.size();
  CHECK(lost > 0);
  CHECK(lost < parts.entries[1].plain / sizeof(trace::Transition) + 2000);  // and what is left of a packet
  CHECK(unspool_test::unspool("check " + sample.trace.path()).exit == 3);
}

TEST_CASE("a frame that unpacks to something else than the seek table says is left out") {
  const Sample sample;
  Parts parts{read_file(sample.archive(1))};
  parts.entries[2].plain -= 512;
  parts.entries[3].plain += 512;
  write_file(sample.archive(1), parts.together(true));
  const Reading reading{sample.trace.path()};
  REQUIRE(reading.trace != nullptr);
  CHECK_THAT(reading.problems(), Contains("the zstd data is damaged (Destination buffer is too small)") &&
                                     Contains("the zstd data does not fit its seek table in the bytes"));
}

TEST_CASE("an index that lies is no way into another packet, and hides none of one") {
  const Sample sample;
  const Parts parts{read_file(sample.archive(1))};
  for (const std::size_t field : {offsetof(trace::PacketHeader, timestamp_begin),
                                  offsetof(trace::PacketHeader, content_size) + 1,  // 256 bits, a Record
                                  offsetof(trace::PacketHeader, events_discarded)}) {
    INFO(field);
    Parts lying = parts;
    // The third packet of all, which is the long thread's second, as the index has it.
    for (std::size_t at = 0, packet = 0; at < lying.index.size();) {
      trace::Extent extent{};
      std::memcpy(&extent, lying.index.data() + at, sizeof extent);
      at += sizeof extent;
      if (extent.size == sizeof(trace::PacketHeader) && ++packet == 3) lying.index[at + field] ^= 1;
      at += extent.size;
    }
    write_file(sample.archive(1), lying.together(true));
    const Reading reading{sample.trace.path()};
    REQUIRE(reading.trace != nullptr);
    CHECK_THAT(reading.problems(), Contains("belongs to another packet than was found there: the trace was changed "
                                            "meanwhile; the rest of the packet"));
    CHECK(reading.records.size() == all_records - 2000);
  }
}

TEST_CASE("an index that is damaged, or goes beyond the archive, is not believed") {
  const Sample sample;
  const std::string whole = read_file(sample.archive(1));
  const Parts parts{whole};
  std::size_t index = 0;
  for (const trace::SeekEntry& each : parts.entries)
    index += each.stored;
  for (const std::size_t at : {std::size_t{0}, std::size_t{5}, std::size_t{12}, std::size_t{40}}) {
    std::string spoiled = whole;
    spoiled[index + at] ^= 0x20;
    write_file(sample.archive(1), spoiled);
    INFO(at);
    CHECK(cat_by_frames(sample.trace.path()).out == sample.before);
  }
  Parts wrong = parts;
  for (const std::size_t field : {std::size_t{7}, std::size_t{15}}) {  // offset and size of the first extent
    wrong.index = parts.index;
    wrong.index[field] = '\x7f';
    write_file(sample.archive(1), wrong.together(true));
    CHECK(cat_by_frames(sample.trace.path()).out == sample.before);
  }
  wrong.index = parts.index.substr(0, parts.index.size() / 2);
  write_file(sample.archive(1), wrong.together(true));
  CHECK(cat_by_frames(sample.trace.path()).out == sample.before);
}

TEST_CASE("of an archive of the recorder's that is cut or spoiled anywhere the rest is read or refused") {
  const Sample sample;
  const std::string whole = read_file(sample.archive(1));
  const std::string path = sample.trace.parent() + "/x.tar.zst";
  write_file(path, whole);
  const std::string before = Sample::cat(path);
  const std::size_t step = whole.size() / 100;
  for (std::size_t length = 0; length < whole.size(); length += step) {
    write_file(path, whole.substr(0, length));
    const Reading reading{path};
    INFO(length);
    CHECK((reading.trace == nullptr ? !reading.refusal.empty() : !reading.problems().empty()));
  }
  for (std::size_t at = 0; at < whole.size(); at += step) {
    std::string spoiled = whole;
    spoiled[at] = static_cast<char>(spoiled[at] ^ 0x41);
    write_file(path, spoiled);
    const Reading reading{path};
    INFO(at);
    const bool told = reading.trace == nullptr ? !reading.refusal.empty() : !reading.problems().empty();
    // Some bits of compressed data mean nothing, and without a table the archive is there all the same.
    if (!told) CHECK(Sample::cat(path) == before);
  }
}
