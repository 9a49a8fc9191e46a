// SPDX-License-Identifier: MIT
//
// Any bytes as a log, of JSON lines and of text, read twice and printed as a command does; a good log is spoiled as the
// input says, which reaches more of the readers than bytes that are none.
//
//   byte 0: which log · then edits of 4 bytes: position (u16), what to do, with which byte · the rest is appended
#include <unspool/log_samples.hpp>
#include <unspool/order/inputs.hpp>
#include <unspool/render/command.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace unspool_test;

std::string spoiled(std::string bytes, std::string_view edits) {
  while (edits.size() >= 4 && !bytes.empty()) {
    const auto wanted =
        static_cast<std::size_t>(static_cast<unsigned char>(edits[0]) | static_cast<unsigned char>(edits[1]) << 8U);
    const std::size_t at = wanted % bytes.size();
    const char what = edits[2];
    const char with = edits[3];
    edits.remove_prefix(4);
    if ((what & 3) == 0) bytes[at] = with;
    if ((what & 3) == 1) bytes[at] = static_cast<char>(bytes[at] ^ with);
    if ((what & 3) == 2) bytes.erase(at, static_cast<unsigned char>(with));
    if ((what & 3) == 3) bytes.insert(at, 1, with);
  }
  return bytes.append(edits);
}

void ask_everything(const std::string& path) {
  static std::FILE* const nowhere = std::fopen("/dev/null", "w");
  using Format = unspool::Options::Format;
  for (const Format format : {Format::table, Format::json, Format::csv}) {
    const bool json = format == Format::json;
    unspool::Inputs opened{{}, false};
    opened.open({path}, {json, json});
    if (opened.sources().empty() && opened.refusals().empty()) std::abort();
    std::vector<unspool::Input> inputs;
    for (const auto& source : opened.sources())
      inputs.push_back({source.process, source.records});
    unspool::Options options;
    options.format = format;
    if (format == Format::csv) {
      options.wanted.threads = {"w*", "1"};
      options.wanted.from = unspool::When::parse("+1us");
      options.wanted.min_wait = 1;
    }
    unspool::CatOptions cat;
    cat.definitions = json;
    if (json) {
      unspool::run_cat(inputs, options, cat, nowhere);
    } else {
      unspool::run_report(inputs, options, nowhere);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // In memory where there is such a file system: the fuzzer writes thousands of logs a second.
  static const int in_memory = std::filesystem::exists("/dev/shm") ? ::setenv("TMPDIR", "/dev/shm", 1) : 0;
  static const TemporaryDirectory directory;
  static const std::vector<std::string> samples{json_log(), joined(text_lines()), ""};
  if (size < 1 || in_memory != 0) return 0;
  const std::string path = directory.path() + "/log";
  write_file(path, spoiled(samples[data[0] % samples.size()], {reinterpret_cast<const char*>(data) + 1, size - 1}));
  ask_everything(path);
  return 0;
}
