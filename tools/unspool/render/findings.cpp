// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/findings.hpp>
#include <unspool/render/misuse.hpp>
#include <unspool/render/names.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t most_told = 4;

/// What a person knows it by, a year later: what waits for what, where.
std::string comment_of(const Names& names, const Deadlocks& deadlocks, const Cycle& cycle) {
  std::string out;
  for (std::size_t i = 0; i < std::min(cycle.members.size(), most_told); ++i) {
    const Wait& wait = deadlocks.waiting()[cycle.members[i]].wait;
    out += fmt::format("{}{} waits for {} at {}", out.empty() ? "" : ", ", names.thread(wait.thread),
                       names.object(wait.object, wait.kind), names.site(wait.site));
  }
  const std::size_t more = cycle.members.size() - std::min(cycle.members.size(), most_told);
  return more == 0 ? out : out + fmt::format(" and {} more", more);
}

std::string comment_of(const Names& names, const Misuse& misuse) {
  std::string out{name_of(misuse.slip)};
  if (misuse.thread != 0) out += " by " + names.thread(misuse.thread);
  return misuse.site == 0 ? out : out + " at " + names.site(misuse.site);
}

std::string comment_of(const Names& names, const Inversion& inversion) {
  std::string out{name_of(inversion.danger)};
  if (inversion.is_join()) return out + " at " + names.site(inversion.join.join_site);
  for (std::size_t i = 0; i < std::min(inversion.cycle.links.size(), most_told); ++i) {
    const LinkOf& link = inversion.cycle.links[i];
    out += fmt::format("{} {} asked for at {} with {} held", i == 0 ? "" : ",",
                       names.object(link.key->inner, trace::Kind::lock), names.site(link.key->inner_site),
                       names.object(link.key->outer, trace::Kind::lock));
  }
  return out;
}

bool is_finding(const Inversion& inversion) {
  return inversion.severity != Severity::note;
}

bool is_finding(const Misuse& misuse) {
  return severity_of(misuse.slip) != Severity::note;
}

}  // namespace

std::vector<Told> told_findings(const Process& process, const Analysis& analysis) {
  const Names names{process};
  std::vector<Told> out;
  for (const Cycle& cycle : analysis.deadlocks.cycles()) {
    out.push_back({Baseline::deadlock, cycle.fingerprint, name_of(cycle.certainty),
                   comment_of(names, analysis.deadlocks, cycle)});
  }
  for (const Inversion& inversion : analysis.inversions.all()) {
    if (is_finding(inversion)) {
      out.push_back(
          {Baseline::order, inversion.fingerprint, name_of(inversion.certainty), comment_of(names, inversion)});
    }
  }
  for (const Misuse& misuse : analysis.misuses.all()) {
    if (is_finding(misuse)) {
      out.push_back({Baseline::misuse, misuse.fingerprint, certainty_of(misuse.slip), comment_of(names, misuse)});
    }
  }
  return out;
}

namespace {

/// It waits in a cycle, and that tells why nobody notified again.
bool is_explained(const Deadlocks& deadlocks, const Misuse& misuse) {
  if (misuse.slip != Slip::lost_wake_up || misuse.number > 1) return false;
  const Waiting* const waiter = deadlocks.waiting_of(misuse.waiter);
  return waiter != nullptr && waiter->wait.object == misuse.object && waiter->lost_wake_up == Lost::no;
}

}  // namespace

void settle(const Process& process, Analysis& analysis, const Options& options) {
  analysis.misuses.leave_out([&](const Misuse& misuse) { return is_explained(analysis.deadlocks, misuse); });
  analysis.deadlocks.leave_out(analysis.filter);
  if (analysis.filter.is_on()) {
    analysis.inversions.leave_out(
        [&](const Inversion& inversion) { return !analysis.inversions.concerns(inversion, analysis.filter); });
  }
  if (options.baseline == nullptr) return;
  Baseline& baseline = *options.baseline;
  analysis.known.deadlocks = analysis.deadlocks.leave_out(
      [&](const Cycle& cycle) { return baseline.knows(Baseline::deadlock, cycle.fingerprint); });
  analysis.known.inversions = analysis.inversions.leave_out([&](const Inversion& inversion) {
    return is_finding(inversion) && baseline.knows(Baseline::order, inversion.fingerprint);
  });
  analysis.known.misuses = analysis.misuses.leave_out(
      [&](const Misuse& misuse) { return is_finding(misuse) && baseline.knows(Baseline::misuse, misuse.fingerprint); });
  // What a filter leaves out may be there all the same.
  if (!analysis.filter.is_on()) {
    baseline.looked_for(Baseline::deadlock);
    if (analysis.inversions.is_known()) baseline.looked_for(Baseline::order);
    baseline.looked_for(Baseline::misuse);
  }
  if (!options.accept) return;
  for (const Told& each : told_findings(process, analysis))
    baseline.add(each.sort, each.fingerprint, each.comment);
}

}  // namespace unspool
