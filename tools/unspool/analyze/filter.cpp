// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/analyze/filter.hpp>
#include <unspool/analyze/nearest.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fnmatch.h>

namespace unspool {
namespace {

bool globs(const std::string& pattern, const std::string& name) {
  return pattern == name || ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

/// As the program gave it, or as the tables print it.
bool fits(const std::string& pattern, const std::string& name) {
  if (globs(pattern, name)) return true;
  const std::string printed = trace::escaped(name);
  return printed != name && globs(pattern, printed);
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = !text.empty() && error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional{number} : std::nullopt;
}

/// "17" and "#17" count from 1, as the tables do; what JSON has is the number in the trace.
std::optional<trace::ObjectNumber> object_numbered(std::string_view text) {
  if (text.starts_with('#')) text.remove_prefix(1);
  const auto number = number_of<trace::ObjectNumber>(text);
  if (!number || *number == 0) return std::nullopt;
  if (*number >= trace::first_object_number) return number;
  return *number - 1 + trace::first_object_number;
}

std::string last_part(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::string_view whole = std::string_view{path}.substr(0, end == std::string::npos ? path.size() : end + 1);
  return std::string{whole.substr(whole.find_last_of('/') + 1)};
}

bool fits_thread(const std::string& pattern, trace::ThreadNumber number, const Thread& thread) {
  const std::string digits = std::to_string(number);
  if (pattern == digits || fits(pattern, thread.name)) return true;
  // "worker#12" and "worker(12)", as tables and `cat` print it.
  if (!pattern.ends_with(digits) && !pattern.ends_with(digits + ")")) return false;
  const std::string name = trace::escaped(thread.name);
  return pattern == name + "#" + digits || pattern == name + "(" + digits + ")";
}

std::string place_of(const Process& process, const Object& object) {
  const auto site = process.sites.find(object.site);
  return site == process.sites.end() ? "" : fmt::format("{}:{}", last_part(site->second.file), site->second.line);
}

bool fits_object(const std::string& pattern, const Process& process, trace::ObjectNumber number, const Object& object) {
  if (!object.name.empty() && fits(pattern, object.name)) return true;
  if (object_numbered(pattern) == number) return true;
  const bool is_place = object.name.empty() || pattern.find(':') != std::string::npos;
  return is_place && object.site != 0 && fits(pattern, place_of(process, object));
}

bool fits_process(const std::string& pattern, const Process& process) {
  const std::string whole = fmt::format("{}-{}", process.program, process.pid);
  return pattern == std::to_string(process.pid) || fits(pattern, process.program) || fits(pattern, whole) ||
         fits(pattern, last_part(process.path));
}

template <class Fits>
bool any_fits(const std::vector<std::string>& patterns, const Fits& one_fits) {
  return std::ranges::any_of(patterns, one_fits);
}

trace::Ticks ticks_of(std::uint64_t nanoseconds, std::uint64_t frequency) {
  const long double ticks = static_cast<long double>(nanoseconds) * static_cast<long double>(frequency) / 1e9L;
  return ticks >= 1.8e19L ? ~trace::Ticks{0} : static_cast<trace::Ticks>(std::ceil(ticks));
}

std::string kind_name(std::size_t kind) {
  return std::string{trace::name_of(static_cast<trace::Kind>(kind))};
}

}  // namespace

Filter::Filter(const Wanted& wanted, const Process& process, trace::Ticks last)
    : wanted_{wanted},
      on_{wanted.any()},
      by_thread_{!wanted.threads.empty()},
      by_object_{!wanted.objects.empty()},
      by_kind_{!wanted.kinds.empty()} {
  if (!on_) return;
  choose_kinds();
  choose_threads(process);
  choose_objects(process);
  if (wanted.from) from_ = wanted.from->is_end() ? last : wanted.from->at(process, process.first_time, last);
  if (wanted.to) to_ = wanted.to->at(process, process.first_time, last);
  min_wait_ = ticks_of(wanted.min_wait, std::max<std::uint64_t>(process.frequency, 1));
}

void Filter::choose_threads(const Process& process) {
  for (const auto& each : process.threads) {
    const auto& [number, thread] = each;
    const auto fits_it = [&](const std::string& pattern) { return fits_thread(pattern, each.first, each.second); };
    const bool counts = thread.origin != trace::Origin::internal;
    const bool passing = !by_thread_ || any_fits(wanted_.threads, fits_it);
    if (passing && by_thread_) threads_.insert(number);
    if (any_fits(wanted_.objects, fits_it)) objects_.insert(number);
    thread_count_.all += counts ? 1 : 0;
    thread_count_.passing += counts && passing ? 1 : 0;
  }
}

void Filter::choose_objects(const Process& process) {
  object_count_.all = process.objects.size();
  if (!by_object_) return;
  for (const auto& each : process.objects) {
    const auto fits_it = [&](const std::string& pattern) {
      return fits_object(pattern, process, each.first, each.second);
    };
    if (!any_fits(wanted_.objects, fits_it)) continue;
    objects_.insert(each.first);
    ++object_count_.passing;
  }
}

void Filter::choose_kinds() {
  for (std::size_t kind = 0; kind < trace::kind_count; ++kind)
    kinds_[kind] = any_fits(wanted_.kinds, [&](const std::string& each) { return globs(each, kind_name(kind)); });
}

trace::Ticks Filter::within(trace::Ticks since, trace::Ticks until) const {
  const trace::Ticks begin = std::max(since, from_);
  const trace::Ticks end = std::min(until, to_);
  return end > begin ? end - begin : 0;
}

bool Filter::passes(const Record& record) const {
  if (!on_) return true;
  const trace::Kind kind = record.row == nullptr ? trace::Kind::trace : record.row->kind;
  return thread(record.thread) && object(record.object, kind) && time(record.time);
}

bool Filter::passes(const Wait& wait) const {
  if (!on_) return true;
  const bool joined =
      !wanted_.own_waits && wait.kind == trace::Kind::thread && thread(static_cast<trace::ThreadNumber>(wait.object));
  return (thread(wait.thread) || joined) && object(wait.object, wait.kind) && span(wait.since, wait.until) &&
         wait.until - std::min(wait.since, wait.until) >= min_wait_;
}

bool Filter::passes(const Hold& hold, trace::Kind kind) const {
  return !on_ || (thread(hold.thread) && object(hold.object, kind) && span(hold.since, hold.until));
}

namespace {

void collect_threads(const std::vector<std::string>& patterns, const Process& process, std::vector<Fitting>& fitting) {
  for (const auto& each : process.threads) {
    const auto fits_it = [&](const std::string& pattern) { return fits_thread(pattern, each.first, each.second); };
    if (any_fits(patterns, fits_it)) fitting.push_back({std::to_string(each.first), each.second.name, true});
  }
}

}  // namespace

std::vector<Fitting> fitting_threads(const Wanted& wanted, std::span<const Process* const> processes) {
  std::vector<Fitting> fitting;
  for (const Process* process : processes)
    collect_threads(wanted.threads, *process, fitting);
  return fitting;
}

std::vector<Fitting> fitting_objects(const Wanted& wanted, std::span<const Process* const> processes) {
  std::vector<Fitting> fitting;
  for (const Process* process : processes) {
    collect_threads(wanted.objects, *process, fitting);
    for (const auto& each : process->objects) {
      const auto fits_it = [&](const auto& pattern) { return fits_object(pattern, *process, each.first, each.second); };
      if (!any_fits(wanted.objects, fits_it)) continue;
      fitting.push_back({fmt::format("#{}", each.first - trace::first_object_number + 1), each.second.name, false});
    }
  }
  return fitting;
}

std::vector<Fitting> fitting_processes(const Wanted& wanted, std::span<const Process* const> processes) {
  std::vector<Fitting> fitting;
  for (const Process* process : processes) {
    if (any_fits(wanted.processes, [&](const auto& pattern) { return fits_process(pattern, *process); }))
      fitting.push_back({std::to_string(process->pid), process->program, false});
  }
  return fitting;
}

bool passes(const Wanted& wanted, const Process& process) {
  return wanted.processes.empty() ||
         any_fits(wanted.processes, [&](const std::string& pattern) { return fits_process(pattern, process); });
}

namespace {

using Processes = std::span<const Process* const>;

/// Ends a search by the first name that fits.
class Candidates {
 public:
  explicit Candidates(const std::string& pattern) : nearest_{pattern} {}
  void add(bool fits_it, const std::string& name) {
    found_ |= fits_it;
    if (!found_ && !name.empty()) nearest_.add(name);
  }
  bool found() const { return found_; }
  std::string nearest() const { return nearest_.words(); }

 private:
  Nearest nearest_;
  bool found_ = false;
};

void add_threads(const std::string& pattern, const Process& process, Candidates& candidates) {
  for (const auto& [number, thread] : process.threads) {
    if (candidates.found()) return;
    if (thread.origin != trace::Origin::internal) candidates.add(fits_thread(pattern, number, thread), thread.name);
  }
}

void add_objects(const std::string& pattern, const Process& process, Candidates& candidates) {
  for (const auto& [number, object] : process.objects) {
    if (candidates.found()) return;
    candidates.add(fits_object(pattern, process, number, object),
                   object.name.empty() ? place_of(process, object) : object.name);
  }
  add_threads(pattern, process, candidates);
}

void add_kinds(const std::string& pattern, const Process&, Candidates& candidates) {
  for (std::size_t kind = 0; kind < trace::kind_count; ++kind)
    candidates.add(globs(pattern, kind_name(kind)), kind_name(kind));
}

void add_process(const std::string& pattern, const Process& process, Candidates& candidates) {
  candidates.add(fits_process(pattern, process), process.program);
}

template <class Add>
std::string misfit_of(std::string_view what, const std::vector<std::string>& patterns, Processes processes,
                      const Add& add) {
  for (const std::string& pattern : patterns) {
    Candidates candidates{pattern};
    for (const Process* const process : processes)
      add(pattern, *process, candidates);
    if (candidates.found()) continue;
    const std::string near = candidates.nearest();
    return fmt::format("no {} is called \"{}\"{}", what, pattern, near.empty() ? "" : "; the nearest: " + near);
  }
  return {};
}

}  // namespace

std::string misfit(const Wanted& wanted, Processes processes) {
  std::string out = misfit_of("process", wanted.processes, processes, add_process);
  if (out.empty()) out = misfit_of("thread", wanted.threads, processes, add_threads);
  if (out.empty()) out = misfit_of("object", wanted.objects, processes, add_objects);
  if (out.empty()) out = misfit_of("kind", wanted.kinds, processes, add_kinds);
  return out;
}

}  // namespace unspool
