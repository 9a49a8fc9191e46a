// SPDX-License-Identifier: MIT
//
// A whole trace from any bytes, read, put in order and printed. The input says how to spoil a good trace: this
// reaches far more of the reader than bytes that are no trace at all.
//
//   byte 0: which file · then edits of 4 bytes: position (u16), what to do, with which byte · the rest is appended
#include <unspool/builder.hpp>
#include <unspool/order/merge.hpp>
#include <unspool/read/trace.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/ctf.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace unspool_test;

struct Sample {
  // In memory where there is such a file system: the fuzzer writes thousands of traces a second.
  int in_memory = std::filesystem::exists("/dev/shm") ? ::setenv("TMPDIR", "/dev/shm", 1) : 0;
  TraceBuilder trace;
  std::vector<std::pair<std::string, std::string>> files;

  Sample() {
    const auto lock = object_number(1);
    auto& segment = trace.segment(1);
    const trace::MessageClass message{4096,
                                      trace::Level::info,
                                      "net",
                                      "{} {:>{}}",
                                      {{"a", trace::Type::text, trace::Means::value},
                                       {"b", trace::Type::f64, trace::Means::value},
                                       {"c", trace::Type::u16, trace::Means::value}}};
    segment.define_message(message)
        .define_clock(5, 5, 5, 1'000'000'000)
        .define_thread(1, "main")
        .define_thread(2, "worker");
    segment.define_object(lock, trace::Kind::lock, "accounts", 1).define_site(1, "a.cpp", 5);
    segment.writer(1, 10)
        .transition(11, "lock.acquire", lock, 1, 1)
        .transition(20, "lock.release", lock, 1, 2, 1, 2)
        .message(21, message, 1,
                 {trace::Value{std::string_view{"abc"}}, trace::Value{1.5}, trace::Value{std::uint64_t{7}}})
        .transition(30, "lock.block", lock, 1, 3, 2, 1)
        .chain(3, 40)
        .transition(41, "lock.busy", lock, 1, 3, 2, 1);
    segment.writer(2, 10)
        .transition(15, "lock.block", lock, 1, 1, 1, 1)
        .transition(22, "lock.acquire", lock, 1, 3, 1, 0);
    trace.status({});
    trace.write();
    for (const char* name :
         {"000001/metadata", "000001/stream-0000", "000001/stream-0001", "000001/stream-0002", ".status"}) {
      const std::string path = trace.path() + '/' + name;
      files.emplace_back(path, read_file(path));
    }
  }
};

std::string spoiled(std::string bytes, std::string_view edits) {
  while (edits.size() >= 4) {
    const auto at =
        static_cast<std::size_t>(static_cast<unsigned char>(edits[0]) | static_cast<unsigned char>(edits[1]) << 8U);
    const char what = edits[2];
    const char with = edits[3];
    edits.remove_prefix(4);
    if (bytes.empty()) break;
    char& byte = bytes[at % bytes.size()];
    switch (what & 3) {
      case 0:
        byte = with;
        break;
      case 1:
        byte = static_cast<char>(byte ^ with);
        break;
      case 2:
        bytes.resize(at % bytes.size());
        break;
      default:
        bytes.insert(at % bytes.size(), 1, with);
    }
  }
  return bytes.append(edits);
}

/// What is written as repaired can be read.
void repair(unspool::Trace& trace, const std::string& path) {
  const std::string directory = path + "-repaired";
  unspool::Repair done;
  if (unspool::write_repaired(trace, directory, done).empty()) {
    std::string refusal;
    const auto clean = unspool::Trace::open({done.place, false}, refusal);
    if (!clean) std::abort();
    unspool::Merge merge{*clean};
    unspool::Record record;
    while (merge.next(record)) {}
  }
  std::filesystem::remove_all(directory);
}

void ask_everything(const std::string& path) {
  using Format = unspool::Options::Format;
  for (const Format format : {Format::table, Format::json, Format::csv}) {
    const bool json = format == Format::json;
    std::string refusal;
    const auto trace = unspool::Trace::open({path, false}, refusal);
    if (!trace) {
      if (refusal.empty()) std::abort();
      return;
    }
    unspool::Merge merge{*trace, json};
    std::vector<unspool::Input> inputs{{trace->process(), merge}};
    unspool::Options options;
    options.format = format;
    if (format == Format::csv) {
      options.wanted.threads = {"w*", "1"};
      options.wanted.from = unspool::When::parse("+1us");
      options.wanted.min_wait = 1;
    }
    static std::FILE* const nowhere = std::fopen("/dev/null", "w");
    unspool::CatOptions cat;
    cat.definitions = json;
    unspool::run_cat(inputs, options, cat, nowhere);
    const auto again = unspool::Trace::open({path, false}, refusal);
    if (!again) std::abort();
    unspool::Merge second{*again};
    std::vector<unspool::Input> once_more{{again->process(), second}};
    unspool::run_threads(once_more, options, nowhere);
    if (json) repair(*again, path);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The sample is removed with the process.
  static Sample sample;
  if (size < 1) return 0;
  const auto& [path, whole] = sample.files[data[0] % sample.files.size()];
  write_file(path, spoiled(whole, {reinterpret_cast<const char*>(data) + 1, size - 1}));
  ask_everything(sample.trace.path());
  write_file(path, whole);
  return 0;
}
