// SPDX-License-Identifier: MIT
//
// Whose fault each wait was, by unspool, against what the waiting and holding threads wrote down by a clock of their
// own.
#include "ledger.hpp"
#include "support/child.hpp"

#include <catch2/catch.hpp>
#include <unspool/analyze/common_clock.hpp>
#include <unspool/order/merge.hpp>
#include <unspool/read/find.hpp>
#include <unspool/read/trace.hpp>
#include <unspool/replay/replay.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

using namespace spool::test;
using spool::trace::Kind;
using truth::Actor;
using truth::Call;
using truth::Ledger;
using truth::Score;
using unspool::Ending;

namespace {

struct Truth {
  std::map<std::string, std::vector<Call>> calls;  ///< by the lock's name
  std::map<std::string, Ledger> ledgers;

  explicit Truth(const std::filesystem::path& file) {
    std::ifstream in{file};
    for (Call call; in >> call;)
      calls["lock-" + std::to_string(call.lock)].push_back(call);
    for (const auto& [name, each] : calls)
      ledgers.emplace(name, each);
  }

  /// The call whose wait this is; nullptr: there is none. `slack`: how far the two clocks may differ. Of two calls
  /// within it, one soon after the other, the one that has more of the wait.
  const Call* call_of(const std::string& lock, std::uint32_t thread, std::int64_t since, std::int64_t until,
                      std::int64_t slack) const {
    const Call* best = nullptr;
    std::int64_t most = -slack;
    for (const Call& call : calls.at(lock)) {
      const std::int64_t common = std::min(until, call.had) - std::max(since, call.asked);
      const bool fits = call.thread == thread && call.asked <= since + slack && until <= call.had + slack;
      if (!fits || common < most) continue;
      best = &call;
      most = common;
    }
    return best;
  }
};

/// Judges each wait as it ends, and keeps who had each lock one after the other.
class Judge : public unspool::Observer {
 public:
  Judge(const unspool::Process& process, const Truth& truth)
      : process_{process}, truth_{truth}, clock_{std::vector<const unspool::Process*>{&process}} {}

  bool has_clock() const { return clock_.by() == unspool::CommonClock::By::monotonic; }

  void acquired(const unspool::ObjectState& object, const unspool::Record& record, unspool::trace::Ticks,
                bool) override {
    if (record.row->effect == spool::trace::Effect::acquire)
      turns[name_of(object)].emplace_back(record.thread, line_of(record.site));
  }
  void passed(const unspool::ObjectState* object, const unspool::Record& record) override {
    if (object != nullptr && object->kind == Kind::semaphore)
      turns[name_of(*object)].emplace_back(record.thread, line_of(record.site));
  }

  void waited(const unspool::ObjectState* object, const unspool::Wait& wait) override {
    if (object == nullptr) return;
    if (object->kind == Kind::condition) return judge_notified(*object, wait);
    const std::string name = name_of(*object);
    const Call* const call = call_of(name, wait);
    const bool acquired = wait.ending == Ending::acquired || wait.ending == Ending::continued;
    ++waits[object->kind];
    if (wait.ending == Ending::timeout) ++timeouts;
    if (call == nullptr || call->got != acquired || call->line != line_of(wait.site)) {
      ++unmatched;
      tell("no call is", name, wait);
      return;
    }
    if (call->turn != 0 && wait.waker != call->giver) ++wrong_wakers;
    if (object->kind == Kind::semaphore) {
      if (acquired) turns[name].emplace_back(wait.thread, line_of(wait.site));
      return;  // any thread may give a permit back: it has no holder, but who gave it is known
    }
    judge_shares(name, wait, call->shared);
  }

  Score score;
  double hand_over = 0;
  std::map<Kind, unsigned> waits;
  std::map<std::string, std::vector<Actor>> turns;
  unsigned timeouts = 0;
  unsigned notified = 0;
  unsigned unmatched = 0;     ///< waits that no call of the program explains
  unsigned wrong_wakers = 0;  ///< and of a Condition's notifiers
  double longest_error = 0;   ///< ns that are not right in one wait

 private:
  void judge_notified(const unspool::ObjectState& object, const unspool::Wait& wait) {
    const Call* const call = call_of("lock-" + name_of(object).substr(std::string{"changed-"}.size()), wait);
    if (call == nullptr || (call->notifier != 0) != (wait.ending == Ending::continued)) {
      ++unmatched;
      tell("no call is", name_of(object), wait);
    } else if (call->notifier != 0) {
      ++notified;
      if (wait.waker != call->notifier || line_of(wait.waker_site) != call->notifier_line) ++wrong_wakers;
    }
  }

  void judge_shares(const std::string& name, const unspool::Wait& wait, bool reads) {
    const std::int64_t since = time_of(wait.since);
    const std::int64_t until = time_of(wait.until);
    std::map<Actor, double> answer;
    for (const unspool::Share& share : wait.shares) {
      answer[actor_of(share.holder)] +=
          static_cast<double>(share.ticks) * static_cast<double>(until - since) / static_cast<double>(wait.ticks());
    }
    const Score one = truth_.ledgers.at(name).judge(since, until, answer, reads);
    if (one.uncertain + one.wrong > 1e6) tell("not right is", name, wait);
    longest_error = std::max(longest_error, one.uncertain + one.wrong);
    score += one;
    hand_over += answer[truth::nobody];
  }

  void tell(const char* what, const std::string& name, const unspool::Wait& wait) const {
    std::cout << what << " the wait of thread " << wait.thread << " for " << name << " at line " << line_of(wait.site)
              << " from " << time_of(wait.since) << " to " << time_of(wait.until) << ", which ended "
              << unspool::name_of(wait.ending) << '\n';
  }

  const Call* call_of(const std::string& lock, const unspool::Wait& wait) const {
    constexpr std::int64_t slack = 20'000;
    return truth_.call_of(lock, wait.thread, time_of(wait.since), time_of(wait.until), slack);
  }
  std::int64_t time_of(unspool::trace::Ticks ticks) const { return static_cast<std::int64_t>(clock_.time(0, ticks)); }
  const std::string& name_of(const unspool::ObjectState& object) const {
    return process_.objects.at(object.number).name;
  }
  std::uint32_t line_of(unspool::trace::SiteNumber site) const {
    const auto known = process_.sites.find(site);
    return known == process_.sites.end() ? 0 : known->second.line;
  }
  /// One that is not known is nobody's answer, and so wrong.
  Actor actor_of(const unspool::Holder& holder) const {
    using Tenant = unspool::Holder::Tenant;
    if (holder.tenant == Tenant::nobody) return truth::nobody;
    if (holder.tenant == Tenant::others) return truth::several;
    return {holder.tenant == Tenant::thread ? holder.thread : ~0U, line_of(holder.site)};
  }

  const unspool::Process& process_;
  const Truth& truth_;
  const unspool::CommonClock clock_;
};

Call held(std::uint32_t thread, std::int64_t asked, std::int64_t had, std::int64_t giving, std::int64_t gave,
          std::uint64_t turn) {
  return {0, thread, 10 * thread, true, turn == 0, asked, had, giving, gave, turn, 0, 0, 0};
}

void check(const Score& score, double right, double uncertain, double wrong) {
  CHECK(score.right == right);
  CHECK(score.uncertain == uncertain);
  CHECK(score.wrong == wrong);
}

/// Processors that are wanted by others as well: threads are put off theirs at any place.
class Load {
 public:
  explicit Load(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
      all_.emplace_back([](const std::stop_token& stop) {
        while (!stop.stop_requested()) {}
      });
    }
  }

 private:
  std::vector<std::jthread> all_;
};

/// `clock`: of the recording. The program reads CLOCK_MONOTONIC, which are the very ticks of the one, and which the
/// definitions of the trace lead to from the ticks of the other.
Score score_of(const std::string& clock, unsigned load, int longer) {
  const ScratchDirectory scratch;
  const std::string file = (scratch.path() / "truth").string();
  const Load others{load};
  const Ended ended = run_program({"truth_program", file, std::to_string(longer)},
                                  {"SPOOL_DIR=" + scratch.path().string(), "SPOOL_KEEP=all", "SPOOL_CLOCK=" + clock},
                                  std::chrono::seconds{90});
  INFO(ended.err);
  REQUIRE(ended.exit_code == 0);
  const Truth truth{file};
  REQUIRE(truth.ledgers.size() == 24);
  for (const auto& [name, ledger] : truth.ledgers) {
    INFO(name);
    CHECK(ledger.exclusive());
  }

  std::string refusal;
  const auto found = unspool::find_traces(scratch.trace().string(), refusal);
  REQUIRE(found.size() == 1);
  const auto trace = unspool::Trace::open(found.front(), refusal);
  REQUIRE(trace != nullptr);
  unspool::Merge merge{*trace, false};
  Judge judge{trace->process(), truth};
  REQUIRE(judge.has_clock());
  unspool::Replay replay{trace->process(), unspool::Audience{judge}};
  replay.run(merge);

  const Score& score = judge.score;
  std::cout << clock << ", load " << load << ": ";
  for (const auto& [kind, waits] : judge.waits)
    std::cout << waits << ' ' << spool::trace::name_of(kind) << ", ";
  std::cout << judge.timeouts << " timed out, " << judge.notified << " notified, for " << score.all() / 1e6
            << " ms: right " << 100 * score.right / score.all() << " %, uncertain "
            << 100 * score.uncertain / score.all() << " %, wrong " << 100 * score.wrong / score.all()
            << " %; hand-over " << 100 * judge.hand_over / score.all() << " %; worst wait " << judge.longest_error / 1e6
            << " ms\n";
  CHECK(replay.lost_records() == 0);
  CHECK(judge.unmatched == 0);
  CHECK(judge.wrong_wakers == 0);
  CHECK(judge.waits[Kind::lock] > 100);
  CHECK(judge.waits[Kind::rlock] > 100);
  CHECK(judge.waits[Kind::shared_lock] > 50);
  CHECK(judge.waits[Kind::semaphore] > 20);
  CHECK(judge.notified > 10);
  CHECK(judge.timeouts > 0);
  CHECK(score.wrong <= 0.001 * score.all());
  for (const auto& [name, ledger] : truth.ledgers) {
    if (ledger.turns().empty()) continue;
    INFO(name);
    CHECK(judge.turns[name] == ledger.turns());
  }
  return score;
}

/// A thread that is put off its processor between a reading of its clock and the call leaves open what is right. Where
/// others want the processors so much that this is more than the bound allows, the program is run again, with longer
/// holds.
void check_truth(const std::string& clock, unsigned load) {
  Score score;
  for (const int longer : {1, 2, 4}) {
    score = score_of(clock, load, longer);
    if (score.right >= 0.999 * score.all()) break;
  }
  CHECK(score.right >= 0.999 * score.all());
}

}  // namespace

TEST_CASE("the ledger calls an answer right, uncertain or wrong by what the threads wrote down") {
  const Ledger ledger{{held(1, 0, 10, 100, 110, 1), held(2, 20, 130, 200, 210, 2)}};
  const Actor one{1, 10};
  const Actor two{2, 20};
  CHECK(ledger.exclusive());
  CHECK(ledger.turns() == std::vector<Actor>{one, two});
  check(ledger.judge(30, 130, {{one, 70}, {truth::nobody, 30}}), 100, 0, 0);
  check(ledger.judge(30, 130, {{one, 75}, {truth::nobody, 25}}), 95, 5, 0);
  check(ledger.judge(30, 130, {{one, 100}}), 70, 10, 20);
  check(ledger.judge(30, 130, {{truth::nobody, 100}}), 30, 0, 70);
  check(ledger.judge(30, 130, {{one, 70}, {two, 30}}), 70, 30, 0);
  check(ledger.judge(30, 130, {{{1, 11}, 100}}), 0, 0, 100);
  CHECK_FALSE(Ledger{{held(1, 0, 10, 100, 110, 1), held(2, 20, 90, 200, 210, 2)}}.exclusive());
  CHECK_FALSE(Ledger{{held(1, 0, 10, 100, 110, 2), held(2, 20, 130, 200, 210, 1)}}.exclusive());
}

TEST_CASE("the ledger knows readers: one is a holder, of more it says only that there are several") {
  const Ledger ledger{{held(1, 0, 10, 100, 110, 0), held(2, 20, 50, 200, 210, 0)}};
  CHECK(ledger.exclusive());
  check(ledger.judge(0, 300, {{truth::nobody, 110}, {{1, 10}, 40}, {truth::several, 50}, {{2, 20}, 100}}), 300, 0, 0);
  check(ledger.judge(60, 90, {{{1, 10}, 30}}), 0, 0, 30);
}

TEST_CASE("waited time goes to the thread and line that held the lock, or rightly to hand-over") {
  check_truth("monotonic", 0);
  check_truth("tsc", 0);
}

TEST_CASE("so it does where the processors are wanted by others as well") {
  check_truth("monotonic", 4);
  check_truth("tsc", 4);
}
