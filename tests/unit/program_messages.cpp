// SPDX-License-Identifier: MIT
//
// Programs that speak: messages of every kind, loggers, levels.
#include <spool/spool.hpp>

#include "program.hpp"
#include "support/message_table.hpp"

#include <cstdio>

using namespace spool::test;

namespace {

/// Prints the texts that readers have to make.
int says_the_table() {
  for (const std::string& each : say_table(spool::Logger{"table"}))
    std::printf("%s\n", each.c_str());
  return 0;
}

int names_arguments() {
  const std::string path = "/index";
  const spool::Logger http{"http.server"};
  http.info("{} times served {path} in {took}", 3, spool::arg<"path">(path),
            spool::arg<"took">(std::chrono::milliseconds{12}));
  // Words of CTF, names of ours, names twice, names that begin with what readers of CTF take away.
  http.warning("{event} {site} {_x} {u32} {path} {path_length}", spool::arg<"event">(1), spool::arg<"site">(2),
               spool::arg<"_x">(3), spool::arg<"u32">('c'), spool::arg<"path">(path), spool::arg<"path_length">(5),
               spool::arg<"event">(Plain::some), spool::arg<"arg0">(true));
  spool::error("{x} {y}", fmt::arg("x", 0.5), fmt::arg("y", Colour::green));
  const char* const hostile = "size\n\"in\" {\xc3\xa9}; };";
  spool::info("{} [{}]", fmt::arg(hostile, 1), fmt::arg("", 2));
  spool::info("{nowhere}", fmt::arg("somewhere", 1));
  spool::Logger{"a\n\"b\" \x1b[31m"}.info("from afar");
  const std::string long_text(10'000, 'x');
  http.error("long {text}", spool::arg<"text">(long_text));
  return 0;
}

int has_levels() {
  const spool::Logger http{"http"};
  const spool::Logger client{"http.client"};
  const spool::Logger other{"other"};
  for (const auto& [name, level] : {std::pair{"general", spool::Logger{""}.level()},
                                    {"http", http.level()},
                                    {"http.client", client.level()},
                                    {"other", other.level()}}) {
    std::printf("%s=%s\n", name, std::string{spool::trace::name_of(level)}.c_str());
  }
  http.warning("from {}", "http");
  return 0;
}

}  // namespace

Programs spool::test::message_programs() {
  return {{"says_the_table", says_the_table}, {"names_arguments", names_arguments}, {"has_levels", has_levels}};
}
