// SPDX-License-Identifier: MIT
#include <spool/log/live_text.hpp>
#include <spool/trace/message.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

namespace spool::log {
namespace {

/// A name of the user's may be a megabyte.
std::string shown(std::string_view name) {
  constexpr std::size_t longest = 200;
  return name.size() <= longest ? trace::escaped(name) : trace::escaped(name.substr(0, longest)) + "...";
}

std::string name_of(const LiveObject& object, trace::Kind kind) {
  const bool known = object.described != nullptr;
  const std::string_view word = trace::name_of(known ? object.described->kind : kind);
  if (known && object.described->name != nullptr && *object.described->name != '\0') {
    return fmt::format("{} \"{}\"", word, shown(object.described->name));
  }
  if (known && object.described->site.file != nullptr) {
    return fmt::format("{} made at {}:{}", word, shown(object.described->site.file), object.described->site.line);
  }
  return object.number == 0 ? fmt::format("a {} that is not known", word) : fmt::format("{} {:x}", word, object.number);
}

std::string at(const char* how, const std::string& place) {
  return place.empty() ? std::string{} : fmt::format(", {} {}", how, shown(place));
}

void put_owner(std::string& out, const LiveProcess& process, const LiveThread& waiter, const LiveOwner& owner,
               const PlaceOf& place_of) {
  if (trace::is_thread(waiter.wait.object.number)) return;  // a join names it already
  if (owner.hold == nullptr) {
    fmt::format_to(std::back_inserter(out), "    held by {} when it blocked{}\n", name_of(*owner.thread),
                   at("taken at", place_of(waiter.wait.owner_site)));
    return;
  }
  fmt::format_to(std::back_inserter(out), "    held{} by {} for {}{}\n", owner.hold->shared ? " shared" : "",
                 name_of(*owner.thread), lasted(process.seconds_since(owner.hold->since)),
                 at("taken at", place_of(owner.hold->site)));
}

/// What a tired reader of a hundred paragraphs looks for: what many wait for, and who has it. Most waiters first.
std::string crowds(const LiveProcess& process, const LiveOwners& owners, const PlaceOf& place_of) {
  std::map<trace::ObjectNumber, std::vector<const LiveThread*>> waiters;
  for (const LiveThread& each : process.threads) {
    if (each.wait.record == 0 || trace::is_thread(each.wait.object.number) || owners.of(each).empty()) continue;
    waiters[each.wait.object.number].push_back(&each);
  }
  std::vector<std::vector<const LiveThread*>> sorted;
  for (auto& [object, threads] : waiters) {
    std::ranges::sort(threads, {}, [](const LiveThread* each) { return each->wait.since; });
    if (threads.size() > 1) sorted.push_back(std::move(threads));
  }
  std::ranges::stable_sort(sorted, std::greater<>{}, &std::vector<const LiveThread*>::size);
  std::string out;
  for (const auto& threads : sorted) {
    const LiveThread& first = *threads.front();
    fmt::format_to(std::back_inserter(out), "\nspool: {} threads wait for {}, the first of them {} for {}\n",
                   threads.size(), name_of(first.wait), name_of(first),
                   lasted(process.seconds_since(first.wait.since)));
    for (const LiveOwner& owner : owners.of(first))
      put_owner(out, process, first, owner, place_of);
  }
  return out;
}

}  // namespace

std::string lasted(double seconds) {
  constexpr std::uint64_t minute = 60;
  constexpr std::uint64_t hour = 60 * minute;
  constexpr std::uint64_t day = 24 * hour;
  if (seconds < minute) return fmt::format("{:.3f} s", seconds);
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole < hour) return fmt::format("{} min {} s", whole / minute, whole % minute);
  if (whole < day) return fmt::format("{} h {} min", whole / hour, whole % hour / minute);
  return fmt::format("{} d {} h", whole / day, whole % day / hour);
}

std::string ending(std::optional<double> seconds) {
  return seconds ? fmt::format(", ends by itself in {}", lasted(*seconds)) : "";
}

std::string name_of(const LiveThread& thread) {
  return fmt::format("{}({})", shown(thread.name), thread.number);
}

std::string name_of(const LiveWait& wait) {
  if (trace::is_thread(wait.object.number)) return fmt::format("the end of thread {}", wait.object.number);
  const trace::Row* row = trace::row_of_id(wait.record);
  return name_of(wait.object, row == nullptr ? trace::Kind::trace : row->kind);
}

std::string paragraph(const LiveProcess& process, const LiveOwners& owners, const LiveThread& thread,
                      const PlaceOf& place_of) {
  std::string out = fmt::format("\"{}\" #{}{} native={}\n", shown(thread.name), thread.number,
                                thread.daemon ? " daemon" : "", thread.native_id);
  const auto to = std::back_inserter(out);
  if (thread.busy) out += "  changes its state all the time\n";
  if (thread.wait.record == 0) {
    if (!thread.busy) out += "  waits for nothing that is recorded: it runs, or the kernel has it\n";
  } else {
    fmt::format_to(to, "  has waited {} for {}{}{}\n", lasted(process.seconds_since(thread.wait.since)),
                   name_of(thread.wait), at("at", place_of(thread.wait.site)),
                   ending(process.seconds_left(thread.wait)));
    for (const std::string& call : thread.wait.calls)
      fmt::format_to(to, "    in {}\n", shown(call));
    for (const LiveOwner& owner : owners.of(thread))
      put_owner(out, process, thread, owner, place_of);
  }
  for (const LiveHold& hold : thread.holds) {
    fmt::format_to(to, "  has held {}{} for {}{}\n", name_of(hold.object, trace::Kind::lock),
                   hold.shared ? " shared" : "", lasted(process.seconds_since(hold.since)),
                   at("taken at", place_of(hold.site)));
  }
  if (thread.holds_beyond != 0) fmt::format_to(to, "  holds {} more\n", thread.holds_beyond);
  return out;
}

std::string sentence(const std::vector<const LiveThread*>& circle) {
  std::string out;
  for (std::size_t i = 0; i < circle.size(); ++i) {
    const LiveThread& next = *circle[(i + 1) % circle.size()];
    const bool joins = trace::is_thread(circle[i]->wait.object.number);
    fmt::format_to(std::back_inserter(out), "{} waits for {}{}", i == 0 ? name_of(*circle[i]) : ", which",
                   joins ? "the end of " : name_of(circle[i]->wait) + " held by ", name_of(next));
  }
  return out;
}

std::string dump(const LiveProcess& process, std::uint32_t pid, const PlaceOf& place_of) {
  const LiveOwners owners{process};
  const auto now = static_cast<std::time_t>(process.realtime / 1'000'000'000U);
  const std::string when = now == 0 ? "" : fmt::format(" at {:%Y-%m-%dT%H:%M:%S}Z", fmt::gmtime(now));
  const std::string program = process.program.empty() ? "" : fmt::format(" ({})", shown(process.program));
  std::string out =
      fmt::format("spool: {} thread{} of process {}{}{}, transitions {}{}\n", process.threads.size(),
                  process.threads.size() == 1 ? "" : "s", pid, program, when, trace::name_of(process.mode),
                  process.mode == trace::Mode::all   ? ""
                  : process.mode == trace::Mode::off ? ": what they wait for and hold is not recorded"
                                                     : ": holds that nobody waited for are not recorded");
  for (const LiveThread& thread : process.threads)
    out += '\n' + paragraph(process, owners, thread, place_of);
  out += crowds(process, owners, place_of);
  for (const auto& circle : circles(process, owners)) {
    const CircleFacts facts = facts_of(circle, process, owners);
    fmt::format_to(std::back_inserter(out), "\nspool: these {}wait in a circle: {}{}\n",
                   facts.certain ? "" : "are likely to ", sentence(circle), ending(facts.ends_in));
  }
  return out + "spool: end of the threads\n";
}

}  // namespace spool::log
