// SPDX-License-Identifier: MIT
//
// A program whose names and texts come from an attacker, with every sink there is. What it writes is looked through by
// tests/hostile/run.
#include <spool/sinks/safe_files.hpp>
#include <spool/spool.hpp>

#include "program.hpp"

#include <spdlog/sinks/rotating_file_sink.h>

#include <cstdlib>
#include <string>
#include <vector>

using namespace spool::test;

namespace {

/// One text each way to break out of a line, a terminal, a quote, a format or an encoding.
std::vector<std::string> hostile_texts() {
  return {"worker-0\n",
          "x\n2026-01-01T00:00:00.000000000+00:00 [critical] (admin) forged\trecord=lock.acquire",
          "\x1b[31mred\x1b]0;title\a\x9b"
          "2J",
          "quote\" and \\ and ' end",
          R"({"record":"forged"},"x":")",
          "{} {0} {:>999999999} %s %n %v",
          "<script>alert(1)</script>&amp;",
          "a\tb\rc\bd\x7f",
          std::string{"nul\0nul", 7},
          "\xff\xfe\xc0\xaf\xed\xa0\x80 bad",
          "\xe2\x80\xae"
          "desrever \xe2\x80\xa8 line",
          "../../../../tmp/evil",
          "-rf",
          ""};
}

void speak(const std::string& text) {
  const spool::Logger logger{text};
  logger.error("by {name}", spool::arg<"name">(text));
  spool::warning("{}", text);
  spool::Lock lock{text};
  spool::Thread thread{{.name = text}, [&] {
                         const std::lock_guard guard{lock};
                         spool::info("{}", text);
                       }};
  thread.start();
  thread.join();
}

/// SPOOL_DIR says where all of it goes.
int is_hostile() {
  const std::string directory = std::getenv("SPOOL_DIR");  // NOLINT(concurrency-mt-unsafe): no thread yet
  const auto rotating = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
      directory + "/logs/rotating.log", std::size_t{32} << 20U, 2, false, spool::sinks::safe_files());
  spool::basic_config({.level = spool::Level::trace,
                       .sinks = {spool::sinks::console(), spool::sinks::json_lines(directory + "/logs/run.jsonl"),
                                 spool::sinks::text_file(directory + "/logs/run.log"),
                                 spool::sinks::text(rotating, "%Y-%m-%dT%H:%M:%S [%l] %n (%-10N) %K %v")}});
  for (const std::string& text : hostile_texts())
    speak(text);
  spool::info("{}", std::string(std::size_t{10} << 20U, '\x1b'));
  const std::string long_name(std::size_t{1} << 20U, '\n');
  spool::Thread thread{{.name = long_name}, [] { spool::info("with a name of 1 MB"); }};
  thread.start();
  thread.join();
  return 0;
}

}  // namespace

Programs spool::test::hostile_programs() {
  return {{"is_hostile", is_hostile}};
}
