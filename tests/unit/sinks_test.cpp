// SPDX-License-Identifier: MIT
//
// What a sink is fed, and that one which throws, hangs or is slow harms nobody else. The ring is tiny, so that a few
// thousand
// Records lap it.
#include <spool/log/feeder.hpp>
#include <spool/log/message.hpp>
#include <spool/log/recorder.hpp>
#include <spool/sync/guards.hpp>
#include <spool/thread/thread.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace spool;

namespace {

void record_in_tiny_ring() {
  static const bool started = [] {
    log::RecorderSettings settings;
    settings.keep = 1;
    settings.geometry = {.chunks = 8, .chunk_bytes = std::size_t{32} * 1024, .metadata_bytes = std::size_t{64} * 1024};
    settings.mode = Mode::all;
    log::set_level(Level::trace);
    const bool done = log::Recorder::instance().start(settings);
    log::set_mode(Mode::all);
    return done;
  }();
  REQUIRE(started);
}

struct Written {
  std::string row;
  std::string thread;
  std::string text;
  std::string object;
  std::uint64_t time = 0;
  std::uint32_t line = 0;
  std::uint64_t count = 0;  ///< of a loss
  std::string reason;
};

/// Keeps what it gets, and does before each what it is told.
class Keeping final : public Sink {
 public:
  explicit Keeping(bool transitions = false) : transitions_{transitions} {}

  void write(const SinkRecord& record) override {
    if (before) before(record);
    Written written{std::string{record.row->name},
                    std::string{record.thread_name},
                    std::string{record.text},
                    std::string{record.object_name},
                    record.time,
                    record.line,
                    0,
                    {}};
    if (record.row->verb == trace::Verb::loss) {
      written.count = std::get<std::uint64_t>(record.fields[0].value);
      written.reason = record.fields[1].stands_for;
    }
    const std::lock_guard guard{mutex_};
    all_.push_back(std::move(written));
  }
  void flush() override {
    if (at_flush) at_flush();
  }
  bool wants_transitions() const override { return transitions_; }

  std::vector<Written> all() {
    const std::lock_guard guard{mutex_};
    return all_;
  }
  std::vector<Written> those(const std::string& row) {
    auto found = all();
    std::erase_if(found, [&](const Written& each) { return each.row != row; });
    return found;
  }
  std::uint64_t lost() {
    std::uint64_t sum = 0;
    for (const Written& each : those("trace.loss"))
      sum += each.count;
    return sum;
  }

  std::function<void(const SinkRecord&)> before;
  std::function<void()> at_flush;

 private:
  const bool transitions_;
  std::mutex mutex_;
  std::vector<Written> all_;
};

/// A feeder that has read all that was there before.
class Fed {
 public:
  explicit Fed(std::shared_ptr<Sink> sink) : feeder_{new log::Feeder{std::move(sink)}} {
    feeder_->start();
    while (!all()) {}  // what earlier tests left may take longer than its patience
  }
  ~Fed() {
    feeder_->ask_to_stop();
    if (feeder_->await_stop()) delete feeder_;  // else its thread still uses it
  }
  Fed(const Fed&) = delete;
  Fed& operator=(const Fed&) = delete;

  /// Has everything delivered.
  bool all() { return feeder_->await_all(feeder_->ask_for_all()); }
  void wake() { feeder_->wake(); }

 private:
  log::Feeder* feeder_;
};

/// Lets threads wait for a moment that a test decides.
class Gate {
 public:
  void open() {
    const std::lock_guard guard{mutex_};
    open_ = true;
    changed_.notify_all();
  }
  /// Stands at the gate until it is open; the first one is seen by await_first.
  void pass() {
    std::unique_lock guard{mutex_};
    ++waiting_;
    changed_.notify_all();
    changed_.wait(guard, [&] { return open_; });
  }
  void await_first() {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [&] { return waiting_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

}  // namespace

TEST_CASE("a sink gets the process first, and each definition before what needs it, once") {
  record_in_tiny_ring();
  const auto sink = std::make_shared<Keeping>(true);
  {
    Fed fed{sink};
    Lock lock{"till"};
    for (int i = 0; i < 3; ++i) {
      const std::lock_guard guard{lock};
      info("counted {}", i);
    }
    REQUIRE(fed.all());
  }
  const auto all = sink->all();
  REQUIRE(!all.empty());
  CHECK(all.front().row == "definition.process");
  const auto first = [&](const std::string& row) {
    return std::ranges::find_if(all, [&](const Written& each) { return each.row == row && each.object == "till"; });
  };
  const auto acquire = first("lock.acquire");
  REQUIRE(acquire != all.end());
  CHECK(acquire->thread == "MainThread");
  CHECK(acquire->line != 0);
  CHECK(std::any_of(all.begin(), acquire, [](const Written& each) { return each.row == "definition.object"; }));
  CHECK(std::any_of(all.begin(), acquire, [](const Written& each) { return each.row == "definition.site"; }));
  CHECK(std::any_of(all.begin(), acquire, [](const Written& each) { return each.row == "definition.thread"; }));
  CHECK(sink->those("definition.thread").size() == 1);
  const auto messages = sink->those("message");
  REQUIRE(messages.size() >= 3);
  CHECK(messages.back().text == "counted 2");
}

TEST_CASE("Records of many threads come in the order of their times, each thread's in its own order") {
  record_in_tiny_ring();
  const auto sink = std::make_shared<Keeping>();
  Fed fed{sink};
  constexpr int threads = 4;
  constexpr int messages = 300;
  std::vector<std::unique_ptr<Thread>> team;
  for (int i = 0; i < threads; ++i) {
    team.push_back(std::make_unique<Thread>(ThreadOptions{.name = "t" + std::to_string(i)}, [] {
      for (int n = 0; n < messages; ++n)
        info("{}", n);
    }));
    team.back()->start();
  }
  for (auto& each : team)
    each->join();
  REQUIRE(fed.all());
  std::map<std::string, int> next;
  std::uint64_t last = 0;
  for (const Written& each : sink->those("message")) {
    if (!each.thread.starts_with("t")) continue;
    CHECK(each.text == std::to_string(next[each.thread]++));
    CHECK(each.time >= last);
    last = each.time;
  }
  CHECK(sink->lost() == 0);
  for (int i = 0; i < threads; ++i)
    CHECK(next["t" + std::to_string(i)] == messages);
}

TEST_CASE("a sink that fails for a moment gets the Record again, and none twice") {
  record_in_tiny_ring();
  const auto sink = std::make_shared<Keeping>();
  int failures = 2;
  sink->before = [&](const SinkRecord& record) {
    if (record.text == "again 1" && failures-- > 0) throw std::runtime_error{"not now\n"};
  };
  Fed fed{sink};
  for (int i = 0; i < 3; ++i)
    info("again {}", i);
  REQUIRE(fed.all());
  auto messages = sink->those("message");
  std::erase_if(messages, [](const Written& each) { return !each.text.starts_with("again"); });
  REQUIRE(messages.size() == 3);
  CHECK(messages[1].text == "again 1");
  CHECK(sink->lost() == 0);
}

TEST_CASE("a Record that a sink never takes is dropped and counted, and the next ones come") {
  record_in_tiny_ring();
  const auto sink = std::make_shared<Keeping>();
  int tries = 0;
  sink->before = [&](const SinkRecord& record) {
    if (record.text != "poison") return;
    ++tries;
    throw 5;
  };
  Fed fed{sink};
  info("poison");
  info("after {}", "it");
  REQUIRE(fed.all());
  CHECK(tries == 3);
  const auto all = sink->all();
  REQUIRE(all.size() >= 2);
  CHECK(all[all.size() - 2].row == "trace.loss");
  CHECK(all[all.size() - 2].reason == "failed");
  CHECK(all[all.size() - 2].count == 1);
  CHECK(all.back().text == "after it");
}

TEST_CASE("what laps a hanging sink is counted exactly, and nobody else misses anything") {
  record_in_tiny_ring();
  const auto slow = std::make_shared<Keeping>();
  slow->policy.patience = std::chrono::milliseconds{200};
  const auto other = std::make_shared<Keeping>();
  other->policy.when_behind = SinkPolicy::WhenBehind::block;
  Gate gate;
  slow->before = [&](const SinkRecord& record) {
    if (record.text.starts_with("lap ")) gate.pass();
  };
  Fed fed_slow{slow};
  Fed fed_other{other};
  constexpr int messages = 60'000;  // more than 1 MB, and the ring has 0.8
  info("lap {}", 0);
  fed_slow.wake();
  gate.await_first();
  for (int i = 1; i < messages; ++i)
    info("lap {}", i);
  CHECK_FALSE(fed_slow.all());
  REQUIRE(fed_other.all());
  CHECK(other->lost() == 0);
  CHECK(std::ranges::count_if(other->all(), [](const Written& each) { return each.text.starts_with("lap "); }) ==
        messages);
  gate.open();
  while (!fed_slow.all()) {}
  const auto got =
      std::ranges::count_if(slow->all(), [](const Written& each) { return each.text.starts_with("lap "); });
  CHECK(got < messages);
  CHECK(static_cast<std::uint64_t>(got) + slow->lost() == messages);
  for (const Written& each : slow->those("trace.loss"))
    CHECK(each.reason == "lapped");
}

TEST_CASE("a sink that hangs in flush holds no other up, and flush returns after its patience") {
  record_in_tiny_ring();
  const auto hanging = std::make_shared<Keeping>();
  hanging->policy.patience = std::chrono::milliseconds{50};
  const auto other = std::make_shared<Keeping>();
  Gate gate;
  std::atomic<bool> hangs{false};
  hanging->at_flush = [&] {
    if (hangs) gate.pass();
  };
  Fed fed{hanging};
  Fed fed_other{other};
  hangs = true;
  info("to {}", "both");
  fed.wake();
  gate.await_first();
  CHECK_FALSE(fed.all());
  REQUIRE(fed_other.all());
  CHECK(other->all().back().text == "to both");
  gate.open();
  while (!fed.all()) {}
}

TEST_CASE("a sink whose policy is to block misses nothing, however slow") {
  record_in_tiny_ring();
  const auto sink = std::make_shared<Keeping>();
  sink->policy.when_behind = SinkPolicy::WhenBehind::block;
  std::uint64_t spent = 0;
  sink->before = [&](const SinkRecord&) {
    for (int i = 0; i < 2000; ++i)
      spent = spent * 31 + 7;
  };
  Fed fed{sink};
  constexpr int messages = 50'000;
  constexpr int threads = 2;
  std::vector<std::unique_ptr<Thread>> team;
  for (int i = 0; i < threads; ++i) {
    team.push_back(std::make_unique<Thread>(ThreadOptions{.name = "b" + std::to_string(i)}, [] {
      for (int n = 0; n < messages; ++n)
        info("block {}", n);
    }));
    team.back()->start();
  }
  for (auto& each : team)
    each->join();
  while (!fed.all()) {}
  CHECK(sink->lost() == 0);
  std::map<std::string, int> next;
  bool in_order = true;
  for (const Written& each : sink->those("message")) {
    if (each.text.starts_with("block ")) in_order &= each.text == "block " + std::to_string(next[each.thread]++);
  }
  CHECK(in_order);
  for (int i = 0; i < threads; ++i)
    CHECK(next["b" + std::to_string(i)] == messages);
}

TEST_CASE("a dead sink that should be waited for is given up after its patience, and counted") {
  record_in_tiny_ring();
  const auto dead = std::make_shared<Keeping>();
  dead->policy = {SinkPolicy::WhenBehind::block, std::chrono::milliseconds{100}};
  Gate gate;
  dead->before = [&](const SinkRecord& record) {
    if (record.text.starts_with("dead ")) gate.pass();
  };
  Fed fed{dead};
  constexpr int messages = 400'000;  // many times what the ring holds, also where it grows because the keeper is late
  const auto begun = std::chrono::steady_clock::now();
  info("dead {}", 0);
  fed.wake();
  gate.await_first();
  for (int i = 1; i < messages; ++i)
    info("dead {}", i);
  // Once, not at each segment.
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{20});
  gate.open();
  while (!fed.all()) {}
  const auto got =
      std::ranges::count_if(dead->all(), [](const Written& each) { return each.text.starts_with("dead "); });
  CHECK(dead->lost() > 0);
  CHECK(static_cast<std::uint64_t>(got) + dead->lost() == messages);
}

TEST_CASE("a wake delivers without the delay") {
  record_in_tiny_ring();
  const auto sink = std::make_shared<Keeping>();
  std::atomic<int> seen{0};
  sink->before = [&](const SinkRecord& record) {
    if (record.text.starts_with("now ")) seen.fetch_add(1);
  };
  Fed fed{sink};
  // Of twenty tries the fastest: without a wake none can be faster than the delay.
  auto fastest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 20; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    info("now {}", i);
    fed.wake();
    while (seen.load() != i + 1)
      std::this_thread::yield();
    fastest = std::min(fastest, std::chrono::steady_clock::now() - begun);
  }
  CHECK(fastest < log::dispatch_delay);
}
