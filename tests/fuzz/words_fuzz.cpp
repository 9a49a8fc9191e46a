// SPDX-License-Identifier: MIT
//
// The words of the command line and the baseline file: any text as a moment, as a span, as a filter's pattern and as a
// file of accepted findings. What is accepted is used.
//
//   up to the first line end: a moment, a span, a pattern; all of it: the file
#include <unspool/analyze/baseline.hpp>
#include <unspool/analyze/filter.hpp>
#include <unspool/builder.hpp>
#include <unspool/read/when.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace {

unspool::Process process_of_names() {
  unspool::Process process;
  process.path = "/run/bank-4711.spool";
  process.program = "bank";
  process.pid = 4711;
  process.started = "2024-05-01T12:00:00.000Z";
  process.clocks.push_back({100, 5, 1'714'564'800'000'000'000, 7, 2'300'000'000});
  process.threads[1] = {"main", 1, 0, false, unspool::trace::Origin::spool};
  process.sites[1] = {"a.cpp", "f", 5};
  process.objects[unspool_test::object_number(1)] = {"", unspool::trace::Kind::lock, 1, 0};
  return process;
}

void ask_times(std::string_view word, const unspool::Process& process) {
  (void)unspool::parse_duration(word);
  const auto when = unspool::When::parse(word);
  if (!when) return;
  for (const unspool::trace::Ticks last : {unspool::trace::Ticks{100}, ~unspool::trace::Ticks{0}})
    (void)when->at(process, 100, last);
}

void ask_patterns(std::string_view word, const unspool::Process& process) {
  unspool::Wanted wanted;
  wanted.threads = wanted.objects = wanted.kinds = wanted.processes = {std::string{word}};
  const std::array processes{&process};
  const bool fits = unspool::misfit(wanted, processes).empty();
  const unspool::Filter filter{wanted, process, 1000};
  if (fits && filter.threads().passing == 0 && filter.objects().passing == 0) std::abort();
  (void)unspool::passes(wanted, process);
  (void)unspool::fitting_threads(wanted, processes);
  (void)unspool::fitting_objects(wanted, processes);
  (void)unspool::fitting_processes(wanted, processes);
}

void ask_baseline(std::string_view text, const std::string& path) {
  unspool_test::write_file(path, text);
  unspool::Baseline baseline;
  const bool good = baseline.read(path).empty();
  (void)baseline.knows(unspool::Baseline::order, 0x1234);
  baseline.looked_for(unspool::Baseline::order);
  (void)baseline.stale();
  if (!good) return;
  // What was read and is written is read again.
  if (!baseline.write(path).empty() || !unspool::Baseline{}.read(path).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // In memory where there is such a file system: the fuzzer writes thousands of files a second.
  static const int in_memory = std::filesystem::exists("/dev/shm") ? ::setenv("TMPDIR", "/dev/shm", 1) : 0;
  static const unspool_test::TemporaryDirectory directory;
  static const unspool::Process process = process_of_names();
  if (in_memory != 0) return 0;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string_view word = text.substr(0, text.find('\n'));
  ask_times(word, process);
  ask_patterns(word, process);
  ask_baseline(text, directory.path() + "/baseline");
  return 0;
}
