// SPDX-License-Identifier: MIT
#include <spool/sinks/from_spdlog.hpp>

#include "keeping.hpp"

#include <catch2/catch.hpp>
#include <spdlog/logger.h>
#include <spdlog/spdlog.h>

namespace {

using sinks_test::keeping;
using sinks_test::Kept;

spdlog::logger make_logger(const char* name) {
  spdlog::logger made{name, spool::sinks::from_spdlog()};
  made.set_level(spdlog::level::trace);
  return made;
}

TEST_CASE("a message through spdlog keeps its level, logger and text") {
  keeping().take();
  auto logger = make_logger("http");
  logger.trace("a {}", 1);
  logger.debug("b");
  logger.info("c");
  logger.warn("d");
  logger.error("e");
  logger.critical("f");
  const auto kept = keeping().take();
  REQUIRE(kept.size() == 6);
  CHECK(kept[0].text == "a 1");
  for (std::size_t i = 0; i < kept.size(); ++i) {
    CHECK(kept[i].logger == "http");
    CHECK(kept[i].level == static_cast<spool::Level>(i));
  }
}

TEST_CASE("a message through spdlog's macros keeps its place in the source") {
  keeping().take();
  auto logger = make_logger("places");
  SPDLOG_LOGGER_INFO(&logger, "here");
  const std::uint32_t line = __LINE__ - 1;
  logger.info("nowhere");
  const auto kept = keeping().take();
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].file == __FILE__);
  CHECK(kept[0].line == line);
  CHECK(kept[1].file.empty());
}

TEST_CASE("a message through spdlog lands in the stream of the thread that logged it") {
  keeping().take();
  auto logger = make_logger("threads");
  spool::Thread worker{{.name = "worker-7"}, [&] { logger.info("from a worker"); }};
  worker.start();
  worker.join();
  const auto kept = keeping().take();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].thread_name == "worker-7");
}

TEST_CASE("spool's level for the logger of that name decides as well") {
  keeping().take();
  auto logger = make_logger("quiet");
  spool::set_level("quiet", spool::Level::error);
  logger.warn("not this");
  logger.error("this");
  const auto kept = keeping().take();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].text == "this");
}

TEST_CASE("a hostile text and a hostile logger name come through as they are") {
  keeping().take();
  const std::string text = "line\nESC\x1b[31m {} %s \"quoted\" \xff\xfe end";
  const std::string name = "a\nb\x1b{}";
  spdlog::logger logger{name, spool::sinks::from_spdlog()};
  logger.info(text);
  const auto kept = keeping().take();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].text == text);
  CHECK(kept[0].logger == name);
}

TEST_CASE("many threads through one spdlog logger: each message comes once, in its thread's order") {
  keeping().take();
  auto logger = make_logger("many");
  constexpr int threads = 4;
  constexpr int each = 500;
  std::vector<spool::Thread> team;
  for (int t = 0; t < threads; ++t) {
    team.emplace_back(spool::ThreadOptions{.name = "many-" + std::to_string(t)}, [&logger] {
      for (int i = 0; i < each; ++i)
        logger.info("{}", i);
    });
    team.back().start();
  }
  for (auto& thread : team)
    thread.join();
  std::map<std::string, int> next;
  for (const Kept& kept : keeping().take())
    CHECK(kept.text == std::to_string(next[kept.thread_name]++));
  CHECK(next.size() == threads);
  for (const auto& [name, count] : next)
    CHECK(count == each);
}

}  // namespace
