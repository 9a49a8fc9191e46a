// SPDX-License-Identifier: MIT
//
// An archived segment from any bytes: read, printed, and written unpacked. The archive is a plain tar, which is read as
// a compressed one is: so the fuzzer reaches the headers of tar, and not only the checksums of zstd.
//
//   edits of 5 bytes: position (u24), what to do, with which byte · fewer than 5: appended
//
// The bit 4 of the first "what to do" has them applied to the plain index of an archive with a seek table instead, and
// the bit 8 to that seek table.
#include <spool/trace/seekable.hpp>
#include <spool/trace/ustar.hpp>

#include <unspool/builder.hpp>
#include <unspool/order/merge.hpp>
#include <unspool/read/trace.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/ctf.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include <zstd.h>

namespace {

using namespace unspool_test;

template <std::size_t N>
void put(std::array<char, N>& field, const char* format, unsigned long value) {
  (void)std::snprintf(field.data(), N, format, static_cast<int>(N - 1), value);
}

std::string member(std::string_view name, const std::string& bytes) {
  trace::UstarHeader header{};
  std::ranges::copy(name, header.name.begin());
  put(header.size, "%0*lo", bytes.size());
  header.type = trace::ustar_file;
  std::ranges::copy(trace::ustar_magic, header.magic.begin());
  put(header.checksum, "%0*lo", trace::ustar_checksum(header));
  std::string out(sizeof header, '\0');
  std::memcpy(out.data(), &header, sizeof header);
  out += bytes;
  out.resize((out.size() + trace::tar_block - 1) / trace::tar_block * trace::tar_block);
  return out;
}

std::string packed(std::string_view plain) {
  std::string frame(ZSTD_compressBound(plain.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), plain.data(), plain.size(), 1));
  return frame;
}

template <class T>
std::string bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string skippable(std::uint32_t magic, const std::string& content) {
  return bytes_of(trace::SkippableHeader{magic, static_cast<std::uint32_t>(content.size())}) + content;
}

/// As the recorder's archiver makes it, with frames of some KiB.
struct Seekable {
  std::string frames;
  std::string index;
  std::string entries;

  explicit Seekable(const std::string& plain) {
    constexpr std::size_t piece = 3000;
    for (std::size_t at = 0; at < plain.size(); at += piece) {
      const std::string frame = packed(plain.substr(at, piece));
      entries += entry(frame.size(), std::min(piece, plain.size() - at));
      frames += frame;
    }
    for (std::size_t at = 0; at + trace::tar_block <= plain.size(); at += trace::tar_block) {
      const bool packet = std::memcmp(plain.data() + at, &trace::packet_magic, sizeof trace::packet_magic) == 0;
      const bool header = std::string_view{plain}.substr(at + offsetof(trace::UstarHeader, magic)).starts_with("ustar");
      const std::size_t size = packet ? sizeof(trace::PacketHeader) : header ? trace::tar_block : 0;
      if (size != 0) index += bytes_of(trace::Extent{at, size}) + plain.substr(at, size);
    }
  }

  static std::string entry(std::size_t stored, std::size_t plain) {
    return bytes_of(trace::SeekEntry{static_cast<std::uint32_t>(stored), static_cast<std::uint32_t>(plain)});
  }

  std::string with(const std::string& other_index, const std::string& other_entries) const {
    const std::string more = skippable(trace::skippable_index, packed(other_index));
    const std::string table = other_entries + entry(more.size(), 0);
    const auto count = static_cast<std::uint32_t>(table.size() / sizeof(trace::SeekEntry));
    return frames + more +
           skippable(trace::skippable_seek_table, table + bytes_of(trace::SeekFooter{count, 0, trace::seekable_magic}));
  }
};

struct Sample {
  // In memory where there is such a file system.
  int in_memory = std::filesystem::exists("/dev/shm") ? ::setenv("TMPDIR", "/dev/shm", 1) : 0;
  TraceBuilder trace;
  std::string whole;
  std::string path;
  std::string plain;

  Sample() {
    const auto lock = object_number(1);
    auto& segment = trace.segment(1);
    segment.define_thread(1, "main").define_object(lock, trace::Kind::lock, "accounts");
    segment.writer(1, 10).transition(11, "lock.acquire", lock, 0, 1).transition(20, "lock.release", lock, 0, 2);
    trace.write();
    for (const char* name : {"metadata", "stream-0000", "stream-0001"})
      whole += member(std::string{"000001/"} + name, read_file(trace.segment_path(1) + '/' + name));
    whole.resize(whole.size() + 2 * trace::tar_block);
    path = trace.parent() + "/x.tar.zst";
    plain = trace.parent() + "/plain";
  }
};

std::string spoiled(std::string bytes, std::string_view edits) {
  for (; edits.size() >= 5; edits.remove_prefix(5)) {
    const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(edits[i])); };
    const std::size_t at = byte(0) | byte(1) << 8U | byte(2) << 16U;
    if (bytes.empty()) break;
    if ((edits[3] & 3) == 0) {
      bytes.resize(at % bytes.size());
    } else {
      bytes[at % bytes.size()] = edits[4];
    }
  }
  return bytes += edits;
}

void ask(const Sample& sample) {
  std::string refusal;
  const auto opened = unspool::Trace::open({sample.path, false, true}, refusal);
  if (!opened) {
    if (refusal.empty()) std::abort();
    return;
  }
  unspool::Merge merge{*opened, true};
  std::vector<unspool::Input> inputs{{opened->process(), merge}};
  static std::FILE* const nowhere = std::fopen("/dev/null", "w");
  unspool::CatOptions cat;
  cat.definitions = true;
  unspool::run_cat(inputs, {}, cat, nowhere);
  (void)unspool::write_ctf(*opened, sample.plain);
  std::filesystem::remove_all(sample.plain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The sample is removed with the process.
  static Sample sample;
  static const Seekable seekable{sample.whole};
  const std::string_view edits{reinterpret_cast<const char*>(data), size};
  const int what = size > 3 ? data[3] : 0;
  if ((what & 4) != 0) {
    write_file(sample.path, seekable.with(spoiled(seekable.index, edits), seekable.entries));
  } else if ((what & 8) != 0) {
    write_file(sample.path, seekable.with(seekable.index, spoiled(seekable.entries, edits)));
  } else {
    write_file(sample.path, spoiled(sample.whole, edits));
  }
  ask(sample);
  return 0;
}
