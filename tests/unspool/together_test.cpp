// SPDX-License-Identifier: MIT
//
// Several processes together: what is the same in them, and on which clock their times are put together.
#include <catch2/catch.hpp>
#include <unspool/analyze/common_clock.hpp>
#include <unspool/replay_script.hpp>

#include <deque>

using namespace unspool;
using namespace unspool::test;

namespace {

/// A worker that waits 10 µs for "store", which another has; `unit` ticks are a nanosecond.
Script server(std::uint32_t pid, trace::Ticks unit = 1) {
  Script script;
  script.process.pid = pid;
  script.process.frequency = 1'000'000'000 * unit;
  script.process.boot = "boot-1";
  script.process.clocks = {
      {1000 * unit, 5'000'000'000U + 1000U * pid, 1'714'564'800'000'000'000, 0, 1'000'000'000 * unit}};
  script.thread(1, "worker-1");
  script.thread(2, "worker-2");
  const trace::SiteNumber made = 20 + pid;  // a site's number is each process's own
  script.site(made, "/src/kv/store.hpp", 20, "Store");
  script.site(50, "/src/kv/store.cpp", 118, "Store::put");
  script.object(lock(pid), Kind::lock, "store", made);
  script.acquire(2000 * unit, 1, lock(pid), 50);
  script.block(3000 * unit, 2, lock(pid), 50, 1, 50);
  script.release(13'000 * unit, 1, lock(pid));
  script.acquire(13'000 * unit, 2, lock(pid), 50, 1);
  script.release(14'000 * unit, 2, lock(pid));
  return script;
}

/// The same, with both stuck at the end.
Script stuck(std::uint32_t pid) {
  Script script = server(pid);
  script.site(60, "/src/kv/swap.cpp", 8, "swap");
  script.object(lock(77), Kind::lock, "index", 60);
  script.acquire(20'000, 1, lock(pid), 50);
  script.acquire(20'100, 2, lock(77), 60);
  script.block(20'200, 1, lock(77), 60, 2, 60);
  script.block(20'300, 2, lock(pid), 50, 1, 50);
  return script;
}

template <class Command>
std::string all(Command command, std::deque<Script>& scripts, Options options = {}, bool* findings = nullptr) {
  std::deque<ListSource> sources;
  std::vector<Input> inputs;
  for (Script& each : scripts)
    inputs.push_back({each.process, sources.emplace_back(each.records), each.records.back().time});
  std::FILE* const file = std::tmpfile();
  const bool found = command(std::span<Input>{inputs}, options, file);
  if (findings != nullptr) *findings = found;
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

Json together(std::string_view what, std::deque<Script>& scripts) {
  Options options;
  options.format = Options::Format::json;
  const auto command = what == "locks" ? run_locks : what == "deadlocks" ? run_deadlocks : run_joins;
  return Json::parse(all(command, scripts, options))["together"];
}

CommonClock clock_of(const std::deque<Script>& scripts) {
  std::vector<const Process*> processes;
  for (const Script& each : scripts)
    processes.push_back(&each.process);
  return CommonClock{processes};
}

bool has(std::string text, const std::string& part) {
  for (std::size_t at = 0; (at = text.find("\n  ", at)) != std::string::npos;)
    text.replace(at, text[at + 3] == ' ' ? 5 : 3, " ");
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("locks of one name and creation site are one row over all processes, whatever their clocks count in") {
  std::deque<Script> scripts{server(7), server(8, 3)};
  const Json found = together("locks", scripts);
  REQUIRE(found["locks"].size() == 1);
  const Json& row = found["locks"][0];
  CHECK(row["name"] == "store");
  CHECK(row["created"]["line"] == 20);
  CHECK(row["processes"] == Json{"server-7", "server-8"});
  CHECK(row["instances"] == 2);
  CHECK(row["acquisitions"] == 4);
  CHECK(row["contended"] == 2);
  CHECK(row["wait"]["total"] == 20'000);
  CHECK(row["wait"]["max"] == 10'000);
  CHECK(row["hold"]["total"] == 24'000);
  CHECK(row["holders"][0]["process"] == "server-7");
  CHECK(row["holders"][0]["time"] == 10'000);
  CHECK(row["worst_instance"].is_null());
}

TEST_CASE("locks of another name, another line, or of neither are not put together") {
  std::deque<Script> scripts{server(7), server(8), server(9), server(10)};
  scripts[1].process.objects[lock(8)].name = "index";
  scripts[2].process.sites[29].line = 21;
  scripts[3].process.objects.clear();
  const Json found = together("locks", scripts);
  CHECK(found["locks"].size() == 3);
  CHECK(found["locks_left_out"] == 1);
}

TEST_CASE("where one process did not record every acquisition, their number is not known of all") {
  std::deque<Script> scripts{server(7), server(8)};
  scripts[1].process.mode = Mode::contended;
  CHECK(together("locks", scripts)["locks"][0]["acquisitions"].is_null());
}

TEST_CASE("tables head each process, then tell what they have in common; alone with --together") {
  std::deque<Script> scripts{server(7), server(8)};
  const std::string text = all(run_locks, scripts);
  for (const char* part : {"server, pid 7:", "server, pid 8:", "Together: 2 processes", "\"store\" ×2"}) {
    CHECK(has(text, part));
  }
  Options options;
  options.together = true;
  const std::string alone = all(run_locks, scripts, options);
  CHECK(alone.starts_with("Together: 2 processes"));
  CHECK(has(alone, "\"store\" ×2 is in 2 processes: server-7, server-8"));
}

TEST_CASE("one process is not told twice") {
  std::deque<Script> scripts{server(7)};
  CHECK_FALSE(has(all(run_locks, scripts), "Together"));
  CHECK(together("locks", scripts).is_null());
}

TEST_CASE("the same deadlock in several processes is one finding, and one of them is enough for the exit code") {
  std::deque<Script> scripts{stuck(7), server(8), stuck(9)};
  bool findings = false;
  const std::string text = all(run_deadlocks, scripts, {}, &findings);
  CHECK(findings);
  CHECK(has(text, "2 times in 2 of 3 processes (server-7, server-9), certain"));
  const Json found = together("deadlocks", scripts);
  REQUIRE(found["deadlocks"].size() == 1);
  CHECK(found["deadlocks"][0]["count"] == 2);
  CHECK(found["deadlocks"][0]["processes"] == Json{"server-7", "server-9"});
  CHECK(found["waiting"].size() == 2);
  CHECK(found["waiting"][0]["threads"] == 2);
}

TEST_CASE("processes of one start of a machine are on its monotonic clock") {
  std::deque<Script> scripts{server(7), server(9)};
  scripts[1].process.clocks[0].realtime += 3'600'000'000'000;  // the wall clock was set in between
  const Json found = together("locks", scripts);
  CHECK(found["clock"]["by"] == "monotonic");
  CHECK(found["clock"]["uncertainty"] == 0);
  CHECK(found["processes"][0]["first"] == 0);
  CHECK(found["processes"][1]["first"] == 2000);
}

TEST_CASE("an uncertainty is as large as the clocks were seen to be off") {
  std::deque<Script> scripts{server(7), server(8)};
  scripts[0].process.clocks.push_back({2000, 5'000'007'000 + 1500, 1, 0, 0});  // 500 ns more than the ticks say
  CHECK(clock_of(scripts).uncertainty() == 500);
}

TEST_CASE("clocks of several hosts are put together only with the word that nobody knows how far they are off") {
  std::deque<Script> scripts{server(7), server(8)};
  scripts[1].process.hostname = "db\x1b[2J4";
  scripts[1].process.boot = "boot-2";
  CHECK(clock_of(scripts).by() == CommonClock::By::wall);
  CHECK_FALSE(clock_of(scripts).uncertainty());
  const std::string text = all(run_locks, scripts);
  CHECK(has(text, "the wall clocks of several hosts (db\\x1b[2J4, host). How far those disagree is not recorded"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(has(text, "server-7@host"));
}

TEST_CASE("a host's name is no proof of one machine") {
  std::deque<Script> scripts{server(7), server(8)};
  scripts[0].process.boot = scripts[1].process.boot = "";
  CHECK(clock_of(scripts).by() == CommonClock::By::wall);
  CHECK_FALSE(clock_of(scripts).uncertainty());
  CHECK(has(all(run_locks, scripts), "it is not recorded that it is one start of one machine"));
}

TEST_CASE("without any time of day the processes are not put in an order") {
  std::deque<Script> scripts{server(7), server(8)};
  scripts[1].process.clocks.clear();
  CHECK(clock_of(scripts).by() == CommonClock::By::none);
  CHECK(has(all(run_locks, scripts), "Their times are not put together"));
  CHECK(together("locks", scripts)["processes"][0]["first"].is_null());
}

TEST_CASE("hostile clocks and names harm nothing") {
  std::deque<Script> scripts{server(7), server(8)};
  for (Script& each : scripts) {
    each.process.frequency = 1;
    each.process.program = "\x1b]0;x\x07\xff\"";
    each.process.clocks.push_back({~trace::Ticks{0}, ~std::uint64_t{0}, ~std::uint64_t{0}, 0, ~std::uint64_t{0}});
    each.process.clocks.push_back({0, 1, 1, 0, 0});
  }
  for (const auto command : {run_report, run_locks, run_joins, run_deadlocks, run_order, run_misuse}) {
    const std::string text = all(command, scripts);
    CHECK(text.find('\x1b') == std::string::npos);
    for (const auto format : {Options::Format::json, Options::Format::csv}) {
      for (const bool alone : {false, true}) {
        Options options;
        options.format = format;
        options.together = alone;
        CHECK(all(command, scripts, options).find('\x1b') == std::string::npos);
      }
    }
  }
}

TEST_CASE("the state of several processes says how far their moments lie apart") {
  std::deque<Script> scripts{stuck(7), stuck(9)};
  const auto state = [](std::span<Input> inputs, const Options& options, std::FILE* out) {
    return run_state(inputs, options, {}, out);
  };
  const std::string text = all(state, scripts);
  CHECK(has(text, "Each process is told as of its own moment; these lie 2.00 µs apart."));
}
