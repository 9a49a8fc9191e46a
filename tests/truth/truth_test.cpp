// SPDX-License-Identifier: MIT
//
// Whose fault each wait was, by unspool, against what the waiting and holding threads wrote down by a clock of their own.
#include "ledger.hpp"
#include "support/child.hpp"

#include <catch2/catch.hpp>
#include <unspool/order/merge.hpp>
#include <unspool/read/find.hpp>
#include <unspool/read/trace.hpp>
#include <unspool/replay/replay.hpp>

#include <fstream>
#include <iostream>
#include <string>

using namespace spool::test;
using truth::Actor;
using truth::Call;
using truth::Ledger;
using truth::Score;

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

  bool has(const std::string& lock, const unspool::Wait& wait, std::uint32_t line) const {
    const auto since = static_cast<std::int64_t>(wait.since);
    const auto until = static_cast<std::int64_t>(wait.until);
    const auto& all = calls.at(lock);
    return std::ranges::any_of(all, [&](const Call& call) {
      return call.thread == wait.thread && call.line == line && call.asked <= since && until <= call.had &&
             call.got == (wait.ending == unspool::Ending::acquired);
    });
  }
};

/// Judges each wait for a lock as it ends.
class Judge : public unspool::Observer {
 public:
  Judge(const unspool::Process& process, const Truth& truth) : process_{process}, truth_{truth} {}

  void waited(const unspool::ObjectState* object, const unspool::Wait& wait) override {
    if (object == nullptr || wait.kind == spool::trace::Kind::condition) return;
    const std::string& name = process_.objects.at(object->number).name;
    ++waits;
    if (wait.ending == unspool::Ending::timeout) ++timeouts;
    if (!truth_.has(name, wait, line_of(wait.site))) ++unmatched;
    std::map<Actor, double> answer;
    for (const unspool::Share& share : wait.shares)
      answer[actor_of(share.holder)] += static_cast<double>(share.ticks);
    score += truth_.ledgers.at(name).judge(static_cast<std::int64_t>(wait.since), static_cast<std::int64_t>(wait.until),
                                           answer);
    hand_over += answer[truth::nobody];
  }

  Score score;
  double hand_over = 0;
  unsigned waits = 0;
  unsigned timeouts = 0;
  unsigned unmatched = 0;  ///< waits that no call of the program explains

 private:
  std::uint32_t line_of(unspool::trace::SiteNumber site) const {
    const auto known = process_.sites.find(site);
    return known == process_.sites.end() ? 0 : known->second.line;
  }
  /// One that is not known is nobody's answer, and so wrong.
  Actor actor_of(const unspool::Holder& holder) const {
    if (holder.tenant == unspool::Holder::Tenant::nobody) return truth::nobody;
    return {holder.tenant == unspool::Holder::Tenant::thread ? holder.thread : ~0U, line_of(holder.site)};
  }

  const unspool::Process& process_;
  const Truth& truth_;
};

Call held(std::uint32_t thread, std::int64_t asked, std::int64_t had, std::int64_t giving, std::int64_t gave) {
  return {0, thread, 10 * thread, true, asked, had, giving, gave};
}

void check(const Score& score, double right, double uncertain, double wrong) {
  CHECK(score.right == right);
  CHECK(score.uncertain == uncertain);
  CHECK(score.wrong == wrong);
}

}  // namespace

TEST_CASE("the ledger calls an answer right, uncertain or wrong by what the threads wrote down") {
  const Ledger ledger{{held(1, 0, 10, 100, 110), held(2, 20, 130, 200, 210)}};
  const Actor one{1, 10};
  const Actor two{2, 20};
  CHECK(ledger.exclusive());
  check(ledger.judge(30, 130, {{one, 75}, {truth::nobody, 25}}), 70 + 20, 10, 0);
  check(ledger.judge(30, 130, {{one, 100}}), 70, 10, 20);
  check(ledger.judge(30, 130, {{truth::nobody, 100}}), 20, 10, 70);
  check(ledger.judge(30, 130, {{one, 70}, {two, 30}}), 70, 30, 0);
  check(ledger.judge(30, 130, {{{1, 11}, 100}}), 0, 0, 100);
  CHECK_FALSE(Ledger{{held(1, 0, 10, 100, 110), held(2, 20, 90, 200, 210)}}.exclusive());
}

TEST_CASE("waited time goes to the thread and line that held the lock, or rightly to hand-over") {
  const ScratchDirectory scratch;
  const std::string file = (scratch.path() / "truth").string();
  // With this clock ticks are the very nanoseconds that the program reads.
  const Ended ended = run_program({"truth_program", file},
                                  {"SPOOL_DIR=" + scratch.path().string(), "SPOOL_KEEP=all", "SPOOL_CLOCK=monotonic"});
  INFO(ended.err);
  REQUIRE(ended.exit_code == 0);
  const Truth truth{file};
  REQUIRE(truth.ledgers.size() == 20);
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
  unspool::Replay replay{trace->process(), unspool::Audience{judge}};
  replay.run(merge);

  const Score& score = judge.score;
  std::cout << judge.waits << " waits, " << judge.timeouts << " of them timed out, for " << score.all() / 1e6
            << " ms: right " << 100 * score.right / score.all() << " %, uncertain "
            << 100 * score.uncertain / score.all() << " %, wrong " << 100 * score.wrong / score.all()
            << " %; hand-over " << 100 * judge.hand_over / score.all() << " %\n";
  CHECK(replay.lost_records() == 0);
  CHECK(judge.unmatched == 0);
  CHECK(judge.waits > 500);
  CHECK(judge.timeouts > 0);
  CHECK(score.right >= 0.999 * (score.right + score.wrong));
  CHECK(score.uncertain <= 0.05 * score.all());
}
