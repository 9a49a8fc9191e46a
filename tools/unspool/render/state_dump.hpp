// SPDX-License-Identifier: MIT
//
// What the text and the JSON of one thread dump share: which threads are told, in which state, and as of when.
#pragma once

#include <unspool/analyze/snapshot.hpp>
#include <unspool/render/scene.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace unspool {

struct Dump : Scene {
  enum class Group : std::uint8_t { waiting, running, ended };
  using Around = UntilMoment::Around;

  const UntilMoment& until;
  std::map<trace::ThreadNumber, std::vector<HeldObject>> held;

  Dump(const Process& a_process, const Analysis& an_analysis, const UntilMoment& an_until, const Options& some_options);

  /// In this state and asked for; by number.
  std::vector<trace::ThreadNumber> threads_of(Group group) const;

  const Wait* wait(trace::ThreadNumber thread) const;
  const Waiting* waiting(trace::ThreadNumber thread) const { return analysis.deadlocks.waiting_of(thread); }
  const Around* around(trace::ThreadNumber thread) const;

  trace::Ticks now() const { return known_until(until, analysis.replay); }
  trace::Ticks elapsed(trace::Ticks since) const { return now() > since ? now() - since : 0; }
  std::string ago(trace::Ticks since) const { return times.span(elapsed(since)); }
  /// " 1.20 s before"; empty where it was just then.
  std::string before(trace::Ticks since) const;

 private:
  bool passes(trace::ThreadNumber number) const;
  std::optional<Group> group_of(trace::ThreadNumber number) const;
};

}  // namespace unspool
