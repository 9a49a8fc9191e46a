// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/findings.hpp>
#include <unspool/render/together.hpp>
#include <unspool/render/together_parts.hpp>

#include <algorithm>
#include <array>
#include <functional>

namespace unspool {
namespace {

/// Longest joins that are kept of all processes.
constexpr std::size_t most_joins = 1000;

struct Of {
  std::string_view command;
  TogetherSections sections;
};

constexpr std::array<Of, 7> all{{{"report", {true, true, true, true, true, true}},
                                 {"locks", {.locks = true}},
                                 {"joins", {.joins = true}},
                                 {"deadlocks", {.waits = true, .deadlocks = true}},
                                 {"order", {.order = true}},
                                 {"misuse", {.misuse = true}},
                                 {"state", {.waits = true, .deadlocks = true}}}};

std::string thread_name(const Process& process, trace::ThreadNumber number) {
  const auto found = process.threads.find(number);
  return found == process.threads.end() ? std::string{} : found->second.name;
}

}  // namespace

TogetherSections sections_of(std::string_view command) {
  const auto found = std::ranges::find(all, command, &Of::command);
  return found == all.end() ? TogetherSections{} : found->sections;
}

bool Together::is_for(std::string_view command) {
  return std::ranges::find(all, command, &Of::command) != all.end();
}

void Together::add(const Process& process, const Analysis& analysis, trace::Ticks moment) {
  const Replay& replay = analysis.replay;
  Member& member = members_.emplace_back();
  member.process = &process;
  member.records = replay.records();
  member.first = replay.first_time();
  member.last = replay.last_time();
  member.moment = moment;
  member.threads = analysis.summary.threads_in_all();
  member.lost = std::max(process.lost, replay.lost_records());
  member.orderly = replay.ended_orderly();
  // Figures of acquires are whole only where all of them are.
  if (members_.size() == 1) merged_.mode = trace::Mode::all;
  if (!replay.complete()) merged_.mode = trace::Mode::contended;
  const TogetherSections sections = sections_of(command_);
  if (sections.locks) locks_.add(process, number(), analysis.locks.figures());
  if (sections.joins) add_joins(process, analysis);
  add_waits(process, analysis, moment);
  add_findings(process, analysis, member);
}

void Together::add_findings(const Process& process, const Analysis& analysis, Member& member) {
  const TogetherSections sections = sections_of(command_);
  for (Told& told : told_findings(process, analysis)) {
    const bool wanted = (told.sort == Baseline::deadlock && sections.deadlocks) ||
                        (told.sort == Baseline::order && sections.order) ||
                        (told.sort == Baseline::misuse && sections.misuse);
    if (!wanted) continue;
    ++member.findings;
    Finding& finding = findings_[{told.sort, told.fingerprint}];
    if (finding.count++ == 0) {
      finding.certainty = told.certainty;
      finding.comment = std::move(told.comment);
    }
    finding.processes.insert(number());
  }
}

void Together::add_waits(const Process& process, const Analysis& analysis, trace::Ticks moment) {
  for (const Waiting& waiting : analysis.deadlocks.waiting()) {
    Wait wait = waiting.wait;
    wait.until = std::max(moment, wait.since);
    if (!analysis.filter.passes(wait)) continue;
    ++members_.back().waiting;
    WaitKey key{wait.kind, {}, 0, sites_.number(process, wait.site)};
    if (wait.kind == trace::Kind::thread) {
      key.name = thread_name(process, static_cast<trace::ThreadNumber>(wait.object));
    } else if (const auto object = process.objects.find(wait.object); object != process.objects.end()) {
      key.name = object->second.name;
      key.made = sites_.number(process, object->second.site);
    }
    Waits& waits = waits_[std::move(key)];
    ++waits.threads;
    waits.longest = std::max(waits.longest, scaled_span(wait.ticks(), process.nanoseconds(1)));
    waits.processes.insert(number());
  }
}

void Together::add_joins(const Process& process, const Analysis& analysis) {
  const Joins& joins = analysis.joins;
  joins_not_kept_ += joins.totals().all() - std::min<std::uint64_t>(joins.totals().all(), joins.longest().size());
  for (const Join& join : joins.longest()) {
    joins_.push_back({scaled_span(join.waited, process.nanoseconds(1)), number(), thread_name(process, join.joiner),
                      thread_name(process, join.target), sites_.number(process, join.site),
                      join.ending == Ending::continued ? "joined" : name_of(join.ending)});
  }
  std::ranges::stable_sort(joins_, std::ranges::greater{}, &JoinOf::waited);
  if (joins_.size() <= most_joins) return;
  joins_not_kept_ += joins_.size() - most_joins;
  joins_.resize(most_joins);
}

std::vector<const Process*> Together::processes() const {
  std::vector<const Process*> out;
  for (const Member& each : members_)
    out.push_back(each.process);
  return out;
}

std::uint64_t Together::start(const CommonClock& clock) const {
  std::uint64_t start = ~std::uint64_t{0};
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].records != 0) start = std::min(start, clock.time(i, members_[i].first));
  }
  return start;
}

/// What tells a process from the others: its host too where there are several.
void Together::name_members() {
  std::set<std::string> hosts;
  for (const Member& member : members_)
    hosts.insert(member.process->hostname);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Process& process = *members_[i].process;
    std::string name = fmt::format("{}-{}", process.program.empty() ? "process" : process.program, process.pid);
    if (hosts.size() > 1) name += fmt::format("@{}", process.hostname.empty() ? "?" : process.hostname);
    merged_.threads[static_cast<trace::ThreadNumber>(i + 1)].name = std::move(name);
  }
}

}  // namespace unspool
