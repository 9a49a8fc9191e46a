// SPDX-License-Identifier: MIT
//
// Programs that speak: messages of every kind, loggers, levels.
#include <spool/spool.hpp>

#include "program.hpp"
#include "support/message_table.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>

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

/// Counts what it gets.
class Counting final : public spool::Sink {
 public:
  void write(const spool::SinkRecord& record) override {
    if (record.row->kind != spool::trace::Kind::message) return;
    got_.fetch_add(1);
    got_.notify_all();
  }
  void await(int count) const {
    for (int got = got_.load(); got < count; got = got_.load())
      got_.wait(got);
  }

 private:
  std::atomic<int> got_{0};
};

/// Prints how many microseconds the fastest of twenty messages took to the sink.
template <class Say>
int takes_to_the_sink(Say say) {
  const auto sink = std::make_shared<Counting>();
  spool::basic_config({.immediate = spool::Level::warning, .sinks = {sink}});
  auto fastest = std::chrono::steady_clock::duration::max();
  for (int i = 1; i <= 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    say(i);
    sink->await(i);
    fastest = std::min(fastest, std::chrono::steady_clock::now() - begin);
  }
  std::printf("%lld", static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(fastest).count()));
  return 0;
}

int says_warnings_at_once() {
  return takes_to_the_sink([](int i) { spool::warning("{}", i); });
}

int says_the_rest_later() {
  return takes_to_the_sink([](int i) { spool::info("{}", i); });
}

}  // namespace

Programs spool::test::message_programs() {
  return {
      {"says_the_table", says_the_table},
      {"names_arguments", names_arguments},
      {"has_levels", has_levels},
      {"says_warnings_at_once", says_warnings_at_once},
      {"says_the_rest_later", says_the_rest_later},
  };
}
