// SPDX-License-Identifier: MIT
//
// The log lines of the threads concerned, around a finding.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

#include <deque>
#include <string>

using namespace unspool;
using namespace unspool::test;

namespace {

/// A text that stays where it is.
void say(Script& script, trace::Ticks time, trace::ThreadNumber thread, std::string text) {
  static std::deque<MessageClass> classes;
  MessageClass made;
  made.level = trace::Level::warning;
  made.text = std::move(text);
  made.has_text = true;
  script.add(Kind::message, Verb::text, time, thread, 0, 5).message = &classes.emplace_back(std::move(made));
}

/// Two threads that are stuck at 5000, and one that is not.
Script stuck() {
  Script script;
  script.thread(1, "one");
  script.thread(2, "two");
  script.thread(3, "other");
  script.site(5, "/src/talk.cpp", 12, "talk");
  script.object(lock(1), Kind::lock, "a", 5);
  script.object(lock(2), Kind::lock, "b", 5);
  say(script, 1000, 1, "first of one");
  say(script, 1100, 1, "second of one");
  say(script, 1200, 2, "evil \x1b[2J\n\xff");
  say(script, 1300, 3, "not concerned");
  say(script, 1400, 1, "third of one");
  script.acquire(2000, 1, lock(1), 5);
  script.acquire(2100, 2, lock(2), 5);
  script.block(4000, 1, lock(2), 5, 2, 5);
  script.block(5000, 2, lock(1), 5, 1, 5);
  return script;
}

Options with(std::size_t messages, Options::Format format = Options::Format::table) {
  Options options;
  options.messages = messages;
  options.format = format;
  return options;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a deadlock is told with the last messages of the threads in it, by time, and of no other") {
  Script script = stuck();
  const std::string text = printed(run_deadlocks, script, with(2));
  INFO(text);
  CHECK_FALSE(has(text, "first of one"));
  CHECK(text.find("second of one") < text.find("evil \\x1b[2J\\n\\xff"));
  CHECK(text.find("evil") < text.find("third of one"));
  CHECK(text.find("third of one") < text.find("stuck from here on"));
  CHECK(has(text, "talk.cpp:12"));
  CHECK_FALSE(has(text, "not concerned"));
  CHECK_FALSE(has(text, "\x1b"));
  CHECK_FALSE(has(printed(run_deadlocks, script), "third of one"));
}

TEST_CASE("messages stand in the JSON of a deadlock, and are null where nobody asked") {
  Script script = stuck();
  const Json found = Json::parse(printed(run_deadlocks, script, with(1, Options::Format::json)));
  const Json messages = found["processes"][0]["deadlocks"][0]["messages"];
  REQUIRE(messages.size() == 2);
  CHECK(messages[1]["text"] == "third of one");
  CHECK(messages[1]["thread"]["name"] == "one");
  CHECK(messages[1]["level"] == "warning");
  const Json none = Json::parse(printed(run_deadlocks, script, with(0, Options::Format::json)));
  CHECK(none["processes"][0]["deadlocks"][0]["messages"].is_null());
}

TEST_CASE("a long wait for a lock is told with what was logged around it") {
  Script script;
  script.thread(1, "one");
  script.thread(2, "two");
  script.object(lock(1), Kind::lock, "a", 5);
  script.acquire(1000, 1, lock(1), 5);
  script.block(2000, 2, lock(1), 5, 1, 5);
  say(script, 3000, 1, "slow work");
  script.release(9000, 1, lock(1));
  script.acquire(9000, 2, lock(1), 5, 1);
  say(script, 9500, 1, "long after");
  const std::string text = printed(run_locks, script, with(3));
  INFO(text);
  CHECK(text.find("the wait begins") < text.find("slow work"));
  CHECK_FALSE(has(text, "long after"));
}

TEST_CASE("a very long message is cut, and says so") {
  Script script = stuck();
  say(script, 6000, 1, std::string(5000, 'x'));
  const Json found = Json::parse(printed(run_deadlocks, script, with(1, Options::Format::json)));
  const Json last = found["processes"][0]["deadlocks"][0]["messages"].back();
  CHECK(last["cut"] == true);
  CHECK(last["text"].get<std::string>().size() == Messages::most_bytes);
}
