// SPDX-License-Identifier: MIT
#include "ledger.hpp"

#include <algorithm>

namespace truth {
namespace {

Actor actor_of(const Call& call) {
  return {call.thread, call.line};
}

/// A span's part of a wait.
double part(std::int64_t from, std::int64_t to, std::int64_t since, std::int64_t until) {
  return static_cast<double>(std::max<std::int64_t>(0, std::min(to, until) - std::max(from, since)));
}

}  // namespace

Score& Score::operator+=(const Score& other) {
  right += other.right;
  uncertain += other.uncertain;
  wrong += other.wrong;
  return *this;
}

Ledger::Ledger(std::vector<Call> calls) : holds_{std::move(calls)} {
  std::erase_if(holds_, [](const Call& call) { return !call.got; });
  std::ranges::sort(holds_, {}, &Call::had);
  std::map<std::int64_t, std::vector<std::pair<Actor, int>>> changes;
  for (const Call& hold : holds_) {
    changes[hold.had].emplace_back(actor_of(hold), 1);
    changes[hold.giving].emplace_back(actor_of(hold), -1);
    if (hold.turn != 0) turns_.push_back(actor_of(hold));
  }
  std::map<Actor, int> now;
  tenures_.push_back({0, nobody});
  for (const auto& [time, who] : changes) {
    for (const auto& [actor, step] : who) {
      if ((now[actor] += step) == 0) now.erase(actor);
    }
    tenures_.push_back({time, now.empty() ? nobody : now.size() == 1 ? now.begin()->first : several});
  }
}

bool Ledger::exclusive() const {
  std::int64_t free_since = 0;  ///< of writers
  std::int64_t read_until = 0;
  std::uint64_t turn = 0;
  for (const Call& hold : holds_) {
    if (hold.had < free_since || (!hold.shared && hold.had < read_until)) return false;
    if (hold.turn != 0 && hold.turn != ++turn) return false;
    std::int64_t& until = hold.shared ? read_until : free_since;
    until = std::max(until, hold.giving);
  }
  return true;
}

std::map<Actor, double> Ledger::seen(std::int64_t since, std::int64_t until, bool reads) const {
  std::map<Actor, double> all;
  const auto wrote = [&](const Call& hold) { return !hold.shared && hold.had < until && hold.giving > since; };
  if (reads && std::ranges::any_of(holds_, wrote)) {
    std::int64_t let_in = since;
    for (const Call& hold : holds_) {
      if (wrote(hold)) let_in = std::max(let_in, std::min(hold.giving, until));
    }
    all[nobody] = static_cast<double>(until - let_in);
    until = let_in;
  }
  auto each = std::ranges::upper_bound(tenures_, since, {}, &Tenure::from);
  if (each != tenures_.begin()) --each;
  for (; each != tenures_.end() && each->from < until; ++each) {
    const auto next = std::next(each);
    all[each->actor] += part(each->from, next == tenures_.end() ? until : next->from, since, until);
  }
  return all;
}

/// Its calls included. Nobody has it at most as long as no thread is sure to.
double Ledger::most(const Actor& actor, std::int64_t since, std::int64_t until) const {
  const auto alone = seen(since, until, false);
  const auto found = alone.find(actor);
  double time = found == alone.end() ? 0 : found->second;
  if (actor == nobody) return time;
  for (std::size_t i = 0; i < holds_.size(); ++i) {
    const Call& hold = holds_[i];
    if (actor != several && actor_of(hold) != actor) continue;
    if (actor == several && !hold.shared) continue;
    const std::int64_t before = hold.turn == 0 || i == 0 ? hold.asked : std::max(hold.asked, holds_[i - 1].giving);
    const std::int64_t after =
        hold.turn == 0 || i + 1 == holds_.size() ? hold.gave : std::min(hold.gave, holds_[i + 1].had);
    time += part(before, hold.had, since, until) + part(hold.giving, after, since, until);
  }
  return time;
}

Score Ledger::judge(std::int64_t since, std::int64_t until, const std::map<Actor, double>& answer, bool reads) const {
  Score score;
  const auto truth = seen(since, until, reads);
  for (const auto& [actor, time] : answer) {
    const auto found = truth.find(actor);
    const double as_seen = found == truth.end() ? 0 : found->second;
    score.right += std::min(time, as_seen);
    score.wrong += std::max(0.0, time - std::max(as_seen, most(actor, since, until)));
  }
  score.uncertain = std::max(0.0, static_cast<double>(until - since) - score.right - score.wrong);
  return score;
}

}  // namespace truth
