// SPDX-License-Identifier: MIT
//
// Loggers and their levels.
#include <spool/log/logger.hpp>

#include "support/record_tap.hpp"
#include "support/threads.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <string>
#include <vector>

using namespace spool;
using namespace spool::test;

namespace {

/// The general level is the tap's again afterwards.
struct Restored {
  Restored() { tap(); }
  ~Restored() { log::set_level(Level::trace); }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;
};

std::vector<std::string> texts_of(void (*say)()) {
  trace::ThreadNumber number = 0;
  run_in_thread("speaker", [&] {
    number = current_thread().ident();
    say();
  });
  std::vector<std::string> texts;
  for (const TappedRecord& each : tap().messages_by(number))
    texts.push_back(each.text);
  return texts;
}

}  // namespace

TEST_CASE("a logger follows the general level until it has one of its own") {
  const Restored restored;
  Logger logger{"follows"};
  log::set_level(Level::error);
  CHECK(logger.level() == Level::error);
  logger.set_level(Level::debug);
  log::set_level(Level::critical);
  CHECK(logger.level() == Level::debug);
  CHECK(logger.is_logged(Level::debug));
  CHECK_FALSE(logger.is_logged(Level::trace));
  logger.reset_level();
  CHECK(logger.level() == Level::critical);
}

TEST_CASE("loggers of one name are one logger") {
  const Restored restored;
  Logger one{"same"};
  const Logger other{"same"};
  one.set_level(Level::off);
  CHECK(other.level() == Level::off);
  CHECK(other.name() == "same");
}

TEST_CASE("a dot makes a child, which follows the nearest that has a level") {
  const Restored restored;
  const Logger grandchild{"tree.branch.leaf"};
  Logger branch{"tree.branch"};
  log::set_level("tree", Level::error);
  CHECK(grandchild.level() == Level::error);
  branch.set_level(Level::info);
  CHECK(grandchild.level() == Level::info);
  branch.reset_level();
  CHECK(grandchild.level() == Level::error);
  CHECK(Logger{"treehouse"}.level() == Level::trace);
  CHECK(Logger{"tree."}.level() == Level::error);
  CHECK(Logger{".tree"}.level() == Level::trace);
}

TEST_CASE("a level may be set before its logger exists") {
  const Restored restored;
  log::set_level("later", Level::critical);
  CHECK(log::level_of("later") == Level::critical);
  CHECK(Logger{"later"}.level() == Level::critical);
  CHECK(log::level_of("later.child") == Level::critical);
}

TEST_CASE("the logger without a name is the general one") {
  const Restored restored;
  Logger general{""};
  general.set_level(Level::error);
  CHECK_FALSE(log::is_logged(Level::warning));
  CHECK(general.name().empty());
  general.reset_level();
  CHECK(general.level() == Level::warning);
}

TEST_CASE("names of any bytes and lengths are names") {
  const Restored restored;
  CHECK(Logger{std::string(10'000, 'x')}.name().size() == 200);
  CHECK(Logger{std::string("a\0b\n", 4)}.name() == std::string_view{"a\0b\n", 4});
  CHECK(Logger{"..."}.level() == Level::trace);
  const std::string cut_inside = std::string(199, 'x') + "\xc3\xa9";
  CHECK(Logger{cut_inside}.name().size() == 199);
}

TEST_CASE("a message below the logger's level makes no Record") {
  const Restored restored;
  const auto texts = texts_of([] {
    Logger logger{"picky"};
    logger.set_level(Level::error);
    logger.trace("no");
    logger.debug("no");
    logger.info("no");
    logger.warning("no");
    logger.error("error {}", 1);
    logger.critical("critical");
    logger.log(Level::warning, "no");
    logger.log(Level::critical, "by level");
    logger.log(Level::off, "no");
    info("general");
  });
  CHECK(texts == std::vector<std::string>{"error 1", "critical", "by level", "general"});
}

TEST_CASE("one line that speaks by several loggers makes a class for each") {
  const Restored restored;
  const auto texts = texts_of([] {
    for (int i = 0; i < 3; ++i) {
      for (const char* name : {"first", "second"})
        Logger{name}.info("by {}", name);
    }
  });
  CHECK(texts == std::vector<std::string>{"by first", "by second", "by first", "by second", "by first", "by second"});
}

TEST_CASE("levels may change while threads speak") {
  const Restored restored;
  std::atomic<bool> over{false};
  const Logger logger{"busy.inner"};
  std::vector<Thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!over.load(std::memory_order_relaxed))  // relaxed: a switch
        logger.info("at it {}", 1);
    });
  }
  for (Thread& each : threads)
    each.start();
  for (int i = 0; i < 200; ++i)
    log::set_level("busy", i % 2 == 0 ? Level::off : Level::critical);
  over.store(true, std::memory_order_relaxed);  // relaxed: a switch
  for (Thread& each : threads)
    each.join();
  CHECK(logger.level() == Level::critical);
}
