// SPDX-License-Identifier: MIT
//
// What was used in a way that it is not made for.
#include <catch2/catch.hpp>
#include <unspool/replay_script.hpp>

using namespace unspool;
using namespace unspool::test;

namespace {

std::vector<Misuse> misuses(const Script& script) {
  const Answer answer{script};
  return answer.analysis.misuses.all();
}

constexpr trace::ThreadNumber producer = 1;
constexpr trace::ThreadNumber worker = 2;

/// A Condition and its lock; each call takes the next moments.
struct Work : Script {
  trace::Ticks now = 0;

  Work() {
    thread(producer, "producer");
    thread(worker, "worker");
    object(lock(1), Kind::rlock, "work", 10);
    object(condition(1), Kind::condition, "work", 10);
    process.objects[condition(1)].parent = lock(1);
  }
  void take(trace::ThreadNumber who) { add(Kind::rlock, Verb::acquire, now += 10, who, lock(1), 40); }
  void give(trace::ThreadNumber who) { add(Kind::rlock, Verb::release, now += 10, who, lock(1), 40, 0, who); }
  void look(trace::ThreadNumber who) {
    take(who);
    give(who);
  }
  void notify(trace::ThreadNumber who, std::uint32_t waiters) {
    take(who);
    add(Kind::condition, Verb::notify, now += 10, who, condition(1), 30, waiters == 0 ? 0 : 1, waiters);
    give(who);
  }
  void block(trace::ThreadNumber who) {
    add(Kind::condition, Verb::block, now += 10, who, condition(1), 31, 1, 1);
    give(who);
  }
  void wait(trace::ThreadNumber who) {
    take(who);
    block(who);
  }
  void wake(trace::ThreadNumber who) {
    add(Kind::condition, Verb::resume, now += 10, who, condition(1), 31, producer, 30);
  }
};

}  // namespace

TEST_CASE("a notify that met nobody before a wait that never ended is a lost wake-up") {
  Work script;
  script.notify(producer, 0);
  script.now = 2'000'000;
  script.wait(worker);
  REQUIRE(misuses(script).size() == 1);
  CHECK(misuses(script)[0].slip == Slip::lost_wake_up);
  CHECK(misuses(script)[0].site == 30);
  CHECK(misuses(script)[0].waiter == worker);
  bool findings = false;
  const std::string text = printed(run_misuse, script, {}, &findings);
  INFO(text);
  CHECK(text.find("lost wake-up, +0.000000 s by producer") != std::string::npos);
  CHECK(text.find("worker waits since +0.002000 s") != std::string::npos);
  CHECK(findings);
}

// The story: a worker with a predicate was busy when the last notify came, found its work without waiting, did it, and
// waits again.
TEST_CASE("a notify that a busy worker saw the effect of, without waiting, is not lost") {
  Work script;
  script.wait(worker);
  script.notify(producer, 1);
  script.wake(worker);
  script.look(worker);
  script.notify(producer, 0);
  script.look(worker);
  CHECK(misuses(script).empty());
  script.wait(worker);
  CHECK(misuses(script).empty());
}

TEST_CASE("the hold with which an earlier wait ends sees a notify that came before it") {
  Work script;
  script.wait(worker);
  script.notify(producer, 1);
  script.wake(worker);
  script.notify(producer, 0);
  script.take(worker);
  script.block(worker);
  CHECK(misuses(script).empty());
  script.notify(producer, 1);
  script.wake(worker);
  script.look(worker);
  script.notify(producer, 0);
  script.wait(worker);
  CHECK(misuses(script).size() == 1);
}

TEST_CASE("a notify is not lost on the thread that made it") {
  Work script;
  script.take(worker);
  script.add(Kind::condition, Verb::notify, script.now += 10, worker, condition(1), 30, 0, 0);
  script.block(worker);
  CHECK(misuses(script).empty());
}

// The story: a pool's job is notified of before its workers are up. One takes it; the others are idle, and were each told
// as a lost wake-up, "2 times" for one notify.
TEST_CASE("what another thread may have taken was not lost on those who come after it") {
  constexpr trace::ThreadNumber other = 3;
  constexpr trace::ThreadNumber third = 4;
  Work script;
  script.notify(producer, 0);
  script.look(worker);
  script.wait(worker);
  script.wait(other);
  script.wait(third);
  CHECK(misuses(script).empty());
  Work beaten;  // by one that came back from an earlier wait
  beaten.wait(other);
  beaten.notify(producer, 1);
  beaten.wake(other);
  beaten.notify(producer, 0);
  beaten.look(other);
  beaten.wait(worker);
  CHECK(misuses(beaten).empty());
  Work own;  // the notifier looks whether it was heard
  own.notify(producer, 0);
  own.look(producer);
  own.wait(worker);
  CHECK(misuses(own).size() == 1);
}

TEST_CASE("a notify that was lost on several threads is one, and one that waits takes nothing") {
  constexpr trace::ThreadNumber other = 3;
  Work script;
  script.notify(producer, 0);
  script.wait(worker);
  script.wait(other);
  REQUIRE(misuses(script).size() == 1);
  CHECK(misuses(script)[0].count == 1);
  CHECK(misuses(script)[0].number == 2);
  CHECK(misuses(script)[0].waiter == worker);
  Options options;
  options.width = 1000;
  const std::string text = printed(run_misuse, script, options);
  INFO(text);
  CHECK(text.find("worker and 1 more wait, the first since +0.000") != std::string::npos);
  options.format = Options::Format::json;
  CHECK(Json::parse(printed(run_misuse, script, options))["processes"][0]["misuses"][0]["waiters"] == 2);
}

TEST_CASE("a notify was not meant for a thread that the notifier has made since, nor for a later generation") {
  constexpr trace::ThreadNumber main_thread = 9;
  Work own;
  own.notify(producer, 0);
  own.add(Kind::thread, Verb::start, own.now += 10, producer, worker);
  own.wait(worker);
  CHECK(misuses(own).empty());
  Work first;
  first.notify(producer, 0);
  first.add(Kind::thread, Verb::start, first.now += 10, main_thread, worker);
  first.wait(worker);
  CHECK(misuses(first).size() == 1);
  Work next;
  next.wait(3);
  next.notify(producer, 1);
  next.wake(3);
  next.look(3);
  next.notify(producer, 0);
  next.add(Kind::thread, Verb::start, next.now += 10, main_thread, worker);
  next.wait(worker);
  CHECK(misuses(next).empty());
}

TEST_CASE("a hold of a lock that two conditions share counts for both") {
  Work script;
  script.object(condition(2), Kind::condition, "room", 10);
  script.process.objects[condition(2)].parent = lock(1);
  script.take(producer);
  script.add(Kind::condition, Verb::notify, script.now += 10, producer, condition(2), 30, 0, 0);
  script.give(producer);
  script.look(worker);
  script.notify(producer, 0);
  script.take(worker);
  script.add(Kind::condition, Verb::block, script.now += 10, worker, condition(2), 31, 1, 1);
  script.give(worker);
  CHECK(misuses(script).empty());
}

TEST_CASE("where not every hold is recorded, nothing is said of lost wake-ups") {
  Work script;
  script.process.mode = Mode::contended;
  script.notify(producer, 0);
  script.wait(worker);
  CHECK(misuses(script).empty());
  script.process.mode = Mode::all;
  CHECK(misuses(script).size() == 1);
  Work lossy;
  lossy.notify(producer, 0);
  lossy.lost(lossy.now += 10, worker, 5);
  lossy.wait(worker);
  CHECK(misuses(lossy).empty());
}

TEST_CASE("a notify that met nobody is no misuse when the wait ends, or was notified after") {
  Work script;
  script.notify(producer, 0);
  script.wait(worker);
  script.notify(producer, 1);
  CHECK(misuses(script).empty());
  script.wake(worker);
  script.look(worker);
  CHECK(misuses(script).empty());
  bool findings = true;
  CHECK(printed(run_misuse, script, {}, &findings).find("No misuse.") != std::string::npos);
  CHECK_FALSE(findings);
}

TEST_CASE("a thread that ends by an exception, with locks held, is two misuses") {
  Script script;
  script.add(Kind::thread, Verb::end, 10, 1, 1, 0, 1, 2);
  REQUIRE(misuses(script).size() == 2);
  CHECK(misuses(script)[0].slip == Slip::held_at_end);
  CHECK(misuses(script)[0].number == 2);
  CHECK(misuses(script)[1].slip == Slip::exception);
}

TEST_CASE("a lock that another thread releases after its thread's end was a signal") {
  Script script;
  script.begin(5, 1);
  script.acquire(10, 1, lock(1), 40);
  script.add(Kind::thread, Verb::end, 20, 1, 1, 0, 0, 1);
  Script released = script;
  CHECK(misuses(script).size() == 1);
  released.release(30, 2, lock(1), 41, 1);
  CHECK(misuses(released).empty());
}

TEST_CASE("each of the threads that ended by an exception is named") {
  Script script;
  for (trace::ThreadNumber each = 1; each <= 7; ++each)
    script.end(10 * each, each, true);
  Options options;
  options.width = 1000;
  const std::string text = printed(run_misuse, script, options);
  INFO(text);
  CHECK(text.find("7 times, first +0.000000 s by thread 1, then by thread 2, thread 3, thread 4, thread 5 and more") !=
        std::string::npos);
}

// The story: "held at the end of a thread ... 1 lock held", and neither which lock nor where it was taken. Later, of
// two the first was named.
TEST_CASE("of locks held at a thread's end each is told, and where it was taken") {
  Script script;
  script.thread(1, "dead");
  script.thread(2, "reader");
  script.site(40, "/src/bank.cpp", 40, "pay");
  script.site(41, "/src/bank.cpp", 41, "pay");
  script.object(lock(1), Kind::lock, "A", 10);
  script.object(lock(2), Kind::lock, "B", 11);
  script.object(lock(3), Kind::shared_lock, "S", 12);
  script.begin(1'000, 1);
  script.acquire(11'000, 1, lock(1), 40);
  script.acquire(12'000, 1, lock(2), 41);
  script.add(Kind::shared_lock, Verb::acquire_shared, 13'000, 2, lock(3), 41, 0, 1);
  script.add(Kind::thread, Verb::end, 20'000, 1, 1, 0, 0, 2);
  script.add(Kind::thread, Verb::end, 21'000, 2, 2, 0, 0, 1);
  REQUIRE(misuses(script).size() == 2);
  CHECK(misuses(script)[0].object == lock(1));
  CHECK(misuses(script)[0].site == 40);
  CHECK(misuses(script)[1].object == lock(3));
  Options options;
  options.width = 1000;
  const std::string text = printed(run_misuse, script, options);
  INFO(text);
  CHECK(text.find("+0.000019 s by dead: lock \"A\", taken at bank.cpp:40 (pay) at +0.000010 s; lock \"B\", taken at "
                  "bank.cpp:41 (pay) at +0.000011 s. Error, certain, fingerprint ") != std::string::npos);
  CHECK(text.find(
            "by reader: shared_lock \"S\", taken at bank.cpp:41 (pay) at +0.000012 s. Error, certain, fingerprint ") !=
        std::string::npos);
  options.format = Options::Format::json;
  const Json misuse = Json::parse(printed(run_misuse, script, options))["processes"][0]["misuses"][0];
  CHECK(misuse["object"]["name"] == "A");
  CHECK(misuse["site"]["line"] == 40);
  CHECK(misuse["thread"]["name"] == "dead");
  CHECK(misuse["taken"] == 10'000);
  CHECK(misuse["held"] == 2);
  REQUIRE(misuse["locks"].size() == 2);
  CHECK(misuse["locks"][1]["object"]["name"] == "B");
  CHECK(misuse["locks"][1]["site"]["line"] == 41);
  CHECK(misuse["locks"][1]["taken"] == 11'000);
}

TEST_CASE("of many locks held at a thread's end a few are told, and how many there are") {
  Script script;
  for (std::uint32_t i = 0; i < 30; ++i)
    script.acquire(10 + i, 1, lock(i), 40);
  script.add(Kind::thread, Verb::end, 50, 1, 1, 0, 0, 30);
  Options options;
  options.width = 10'000;
  const std::string text = printed(run_misuse, script, options);
  INFO(text);
  CHECK(text.find("; 30 locks held in all") != std::string::npos);
  CHECK(text.find("lock #4,") != std::string::npos);
  CHECK(text.find("lock #5,") == std::string::npos);
}

TEST_CASE("holds of a tenth of a second are long, the longest is told") {
  Script script;
  for (const trace::Ticks length : {200'000'000U, 300'000'000U, 1000U}) {
    const trace::Ticks from = script.records.empty() ? 10 : script.records.back().time + 10;
    script.acquire(from, 1, lock(1), 40);
    script.release(from + length, 1, lock(1), 41);
  }
  REQUIRE(misuses(script).size() == 1);
  CHECK(misuses(script)[0].slip == Slip::long_hold);
  CHECK(misuses(script)[0].count == 2);
  CHECK(misuses(script)[0].longest == 300'000'000);
}

TEST_CASE("timeouts are counted by line, and are no finding") {
  Script script;
  for (trace::Ticks time = 10; time < 60; time += 10)
    script.add(Kind::event, Verb::timeout, time, 1, lock(1), time < 30 ? 40 : 41);
  REQUIRE(misuses(script).size() == 2);
  CHECK(misuses(script)[0].count == 3);
  bool findings = true;
  (void)printed(run_misuse, script, {}, &findings);
  CHECK_FALSE(findings);
}

TEST_CASE("a release of what nobody held is a double release") {
  Script script;
  script.acquire(10, 1, lock(1), 40);
  script.release(20, 1, lock(1), 41);
  script.release(30, 1, lock(1), 42);
  REQUIRE(misuses(script).size() == 1);
  CHECK(misuses(script)[0].slip == Slip::double_release);
}

TEST_CASE("an object that is destroyed while somebody waits or holds it is a misuse") {
  Script script;
  script.add(Kind::lock, Verb::destroy, 10, 1, lock(1), 40, 2, 41);
  script.add(Kind::queue, Verb::destroy, 20, 1, lock(2), 42, 5, 0);
  script.add(Kind::queue, Verb::destroy, 30, 1, lock(3), 43, 0, 1);
  CHECK(misuses(script).size() == 2);
}

TEST_CASE("errors that the program logged are told with their text, escaped") {
  Script script;
  MessageClass error;
  error.level = trace::Level::error;
  error.has_text = true;
  error.text = "release of a free lock\n\x1b[31m";
  Record& record = script.add(Kind::message, Verb::text, 10, 1, 0, 40);
  record.message = &error;
  const std::string text = printed(run_misuse, script);
  CHECK(text.find("release of a free lock\\n") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
}

// The story: all uncaught exceptions are told by one line of the library, so that of two different ones, in two threads,
// the second was never read.
TEST_CASE("errors of one line are told apart by their texts, but not by numbers and addresses in them") {
  std::vector<MessageClass> classes(30);
  const auto told = [&](std::vector<std::string> texts) {
    Script script;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      classes[i].level = trace::Level::error;
      classes[i].has_text = true;
      classes[i].text = texts[i];
      script.add(Kind::message, Verb::text, 10 + i, 1, 0, 40).message = &classes[i];
    }
    return misuses(script);
  };
  const auto two = told({"release of D", "notify of C", "release of D"});
  REQUIRE(two.size() == 2);
  CHECK(two[0].count == 2);
  CHECK(two[1].text == "notify of C");
  CHECK(two[0].fingerprint != two[1].fingerprint);
  const auto alike = told({"request 17 at 0x7f3a00 failed", "request 4 at 0xdeadbeef failed"});
  REQUIRE(alike.size() == 1);
  CHECK(alike[0].text == "request 17 at 0x7f3a00 failed");
  CHECK(alike[0].fingerprint == told({"request 5 at 0x0 failed"})[0].fingerprint);
  std::vector<std::string> many;
  for (char each = 'a'; each <= 'z'; ++each)
    many.emplace_back(3, each);
  const auto folded = told(many);
  REQUIRE(folded.size() == 9);
  CHECK(folded[0].count == 18);
  CHECK(folded[0].text == "iii");
}

TEST_CASE("JSON tells what, how grave, and how often") {
  Script script;
  script.add(Kind::thread, Verb::end, 10, 1, 1, 0, 1, 0);
  Options options;
  options.format = Options::Format::json;
  const Json misuse = Json::parse(printed(run_misuse, script, options))["processes"][0]["misuses"][0];
  CHECK(misuse["what"] == "thread ended by exception");
  CHECK(misuse["severity"] == "error");
  CHECK(misuse["count"] == 1);
  CHECK(misuse["fingerprint"].get<std::string>().size() == 16);
}

TEST_CASE("deadlocks of one class are told once, with their instances") {
  Script script;
  for (std::uint32_t i = 0; i < 3; ++i) {
    script.object(lock(i), Kind::lock, "lock-" + std::to_string(i), 12);
    script.acquire(100 + i, 1 + i, lock(i), 10);
    script.block(200 + i, 1 + i, lock(i), 11, 1 + i, 10);
  }
  const std::string text = printed(run_deadlocks, script);
  INFO(text);
  CHECK(text.find("The same again, 2 times") != std::string::npos);
  CHECK(text.find("thread 3 for lock \"lock-2\"") != std::string::npos);
  CHECK(text.find("DEADLOCK, certain") != std::string::npos);
}

// The story: main hung behind the third of a class, and stood in no line.
TEST_CASE("who hangs behind another deadlock of the class is told below the instances") {
  Script script;
  for (std::uint32_t i = 0; i < 3; ++i) {
    script.acquire(100 + i, 1 + i, lock(i), 10);
    script.block(200 + i, 1 + i, lock(i), 11, 1 + i, 10);
  }
  script.join(300, 9, 3, 12);
  const std::string text = printed(run_deadlocks, script);
  INFO(text);
  const std::size_t below = text.find("Stuck behind these:");
  REQUIRE(below != std::string::npos);
  CHECK(text.find("thread 9 waits in join for thread 3, part of deadlock 1", below) != std::string::npos);
}
