// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unspool/render/classes.hpp>
#include <unspool/render/heading.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/order.hpp>
#include <unspool/render/remedies.hpp>
#include <unspool/render/table.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t most_told = 10;
constexpr std::size_t most_links_told = 20;
constexpr std::size_t most_instances = 5;

using enum Table::Align;
constexpr auto at_end = Table::Cut::end;
constexpr auto wrap = Table::Cut::wrap;

constexpr std::string_view cannot_know =
    "Whether locks are taken in orders that could deadlock is not known: the recording does not say of every lock who "
    "held it "
    "(it takes mode `all` from the begin on).";

/// Tells the inversions of one process.
class Story {
 public:
  Story(const Process& process, const Analysis& analysis, const Options& options)
      : process_{process},
        options_{options},
        names_{process},
        times_{process, analysis.replay.first_time()},
        all_{analysis.inversions.all()} {}

  std::string told(std::size_t number, std::size_t of, const std::vector<std::size_t>& same) const;

 private:
  std::string title(const Inversion& inversion, std::size_t number, std::size_t of, std::size_t same) const;
  std::string what(const Inversion& inversion) const;
  std::string reasons(const Inversion& inversion) const;
  std::string rows(const Inversion& inversion) const;
  void link_rows(Table& table, const LinkOf& link) const;
  void join_rows(Table& table, const JoinUnderLock& join) const;
  std::string instances(const std::vector<std::size_t>& same) const;
  std::string object(trace::ObjectNumber number) const;
  std::string task(const TaskKey& key) const;
  std::string at(trace::SiteNumber site) const { return names_.site_and_function(site); }

  const Process& process_;
  const Options& options_;
  Names names_;
  Times times_;
  const std::vector<Inversion>& all_;
};

/// With its number: locks of one class often share a name.
std::string Story::object(trace::ObjectNumber number) const {
  const std::string name = names_.object(number, trace::Kind::lock);
  const std::string tail = " " + object_number(number);
  return name.ends_with(tail) ? name : name + tail;
}

std::string Story::task(const TaskKey& key) const {
  return fmt::format("task {} of {}", key.task, names_.object(key.pool, trace::Kind::pool));
}

std::string Story::what(const Inversion& inversion) const {
  switch (inversion.danger) {
    case Danger::read_again:
      return "a reader asks again for what it reads, and a writer may come in between";
    case Danger::join_under_lock:
      return inversion.join.via.empty() ? "a thread is joined with a lock held that it asks for"
                                        : "a thread is joined with a lock held that one it joins asks for";
    case Danger::task_under_lock:
      return "a task's result is waited for with a lock held that the task asks for";
    case Danger::inversion:
      break;
  }
  const std::size_t locks = inversion.cycle.links.size();
  return locks == 2 ? "two locks are taken in both orders" : fmt::format("{} locks are taken in a ring", count(locks));
}

std::string Story::reasons(const Inversion& inversion) const {
  if (inversion.happened) return "It did deadlock at the end of this run: unspool deadlocks.";
  std::string out = inversion.limited
                        ? "One of the waits has a time limit, or can be stopped: they wait for each other until then, "
                          "and for ever if it is then tried anew, or never stopped."
                        : "It could deadlock, though this run did not.";
  const Doubt& doubt = inversion.doubt;
  if (doubt.few_threads) out += " Only if other threads do the same as those seen: it takes one for each lock.";
  if (doubt.signal) out += " Possible only: one of the locks was released by a thread that did not own it.";
  if (doubt.clocks_missing)
    out += " Possible only: so many threads nest locks that their order was not followed for all.";
  if (doubt.records_missing) out += " Possible only: Records are missing.";
  return out;
}

std::string Story::title(const Inversion& inversion, std::size_t number, std::size_t of, std::size_t same) const {
  const std::string which = of == 1 ? "" : fmt::format(" {} of {}", number + 1, of);
  const Tone tone = inversion.severity == Severity::note ? Tone::strong : Tone::bad;
  const std::string head = fmt::format("LOCK ORDER{}, {}, {}: {}.", which, name_of(inversion.severity),
                                       name_of(inversion.certainty), what(inversion));
  return wrapped(toned(head, tone, options_.color), options_.width, 2) +
         wrapped(fmt::format("  {} {}. Fingerprint {}.", reasons(inversion), counted(same, "instance", "instances"),
                             hexadecimal(inversion.fingerprint)),
                 options_.width, 2) +
         "\n";
}

void Story::link_rows(Table& table, const LinkOf& link) const {
  const LinkKey& key = *link.key;
  table.row({{names_.thread(link.by->thread), Tone::strong},
             {key.outer_shared ? "reads" : "holds"},
             {object(key.outer)},
             {times_.offset(link.by->outer_since)},
             {at(key.outer_site)},
             {}});
  table.row({{},
             {key.inner_shared ? "asks to read" : "asks for"},
             {object(key.inner)},
             {times_.offset(link.by->time)},
             {at(key.inner_site)},
             {link.by->stuck     ? "still waits"
              : link.by->limited ? "with a limit"
                                 : counted(link.times, "time", "times")}});
}

void Story::join_rows(Table& table, const JoinUnderLock& join) const {
  table.row({{names_.thread(join.joiner), Tone::strong},
             {join.shared ? "reads" : "holds"},
             {object(join.lock)},
             {times_.offset(join.lock_since)},
             {at(join.lock_site)},
             {}});
  table.row({{},
             {join.task.task == 0 ? "joins" : "waits for"},
             {join.task.task == 0 ? names_.thread(join.target) : task(join.task)},
             {times_.offset(join.join_time)},
             {at(join.join_site)},
             {}});
  for (const ThreadJoin& each : join.via) {
    table.row({{names_.thread(each.joiner), Tone::strong},
               {"joins"},
               {names_.thread(each.target)},
               {times_.offset(each.time)},
               {at(each.site)},
               {}});
  }
  table.row({{names_.thread(join.asker), Tone::strong},
             {"asks for"},
             {object(join.lock)},
             {times_.offset(join.target_time)},
             {at(join.target_site)},
             {join.stuck ? "still waits" : ""}});
}

std::string Story::rows(const Inversion& inversion) const {
  Table table{{{"", left, true},
               {"", left},
               {"", left, true, "", wrap},
               {"first", right},
               {"at", left, true, "", at_end},
               {"", left}}};
  if (inversion.is_join()) join_rows(table, inversion.join);
  const auto& links = inversion.cycle.links;
  for (std::size_t i = 0; i < std::min(links.size(), most_links_told); ++i)
    link_rows(table, links[i]);
  for (const auto& [lock, writer] : inversion.cycle.writers) {
    table.row({{names_.thread(writer->by.thread), Tone::strong},
               {"asks to write"},
               {object(lock)},
               {times_.offset(writer->by.time)},
               {at(writer->site)},
               {"in between"}});
  }
  std::string out = table.text(options_.width, options_.color, 2);
  if (links.size() > most_links_told)
    out += fmt::format("  ... and {} more (all of them: --format json)\n", count(links.size() - most_links_told));
  return out;
}

std::string Story::instances(const std::vector<std::size_t>& same) const {
  if (same.size() == 1) return {};
  std::string out = fmt::format("  The same with other locks or threads, {} (all of them: --format json):\n",
                                counted(same.size() - 1, "time", "times"));
  for (std::size_t i = 1; i < std::min(same.size(), most_instances + 1); ++i) {
    const Inversion& inversion = all_[same[i]];
    std::string line;
    for (std::size_t k = 0; k < std::min(inversion.cycle.links.size(), most_links_told); ++k) {
      const LinkOf& link = inversion.cycle.links[k];
      line += fmt::format("{}{}: {} then {}", k == 0 ? "    " : "; ", names_.thread(link.by->thread),
                          object(link.key->outer), object(link.key->inner));
    }
    if (inversion.is_join()) {
      const JoinUnderLock& join = inversion.join;
      const bool of_task = join.task.task != 0;
      line = fmt::format("    {} {} {} with {}", names_.thread(join.joiner), of_task ? "waits for" : "joins",
                         of_task ? task(join.task) : names_.thread(join.target), object(join.lock));
    }
    out += wrapped(line, options_.width, 6);
  }
  return out;
}

std::string Story::told(std::size_t number, std::size_t of, const std::vector<std::size_t>& same) const {
  const Inversion& inversion = all_[same.front()];
  return title(inversion, number, of, same.size()) + rows(inversion) + instances(same) +
         wrapped("  Advice: " + order_advice(process_, inversion), options_.width, 2);
}

}  // namespace

std::string order_advice(const Process& process, const Inversion& inversion) {
  const Names names{process};
  const auto object = [&](trace::ObjectNumber number) { return names.object(number, trace::Kind::lock); };
  if (inversion.is_join()) {
    const std::string_view call = inversion.danger == Danger::task_under_lock ? "wait" : "join";
    return release_remedy(object(inversion.join.lock), call, names.site(inversion.join.join_site));
  }
  const LinkKey& first = *inversion.cycle.links.front().key;
  if (inversion.danger == Danger::read_again) {
    return fmt::format(
        "Do not ask for {} at {} while reading it already: hand the lock's guard on, or release it first.",
        object(first.outer), names.site(first.inner_site));
  }
  std::vector<trace::ObjectNumber> locks;
  for (const LinkOf& each : inversion.cycle.links)
    locks.push_back(each.key->outer);
  return order_remedy(process, names, locks);
}

std::vector<std::vector<std::size_t>> order_classes(const Inversions& inversions) {
  return classes_of(inversions.all());
}

std::vector<std::string> order_limits(const Inversions& inversions) {
  std::vector<std::string> out;
  if (inversions.left_out() != 0) {
    out.push_back(fmt::format("Incomplete: {} not kept, as there are so many different ones.",
                              counted(inversions.left_out(), "nested acquire was", "nested acquires were")));
  }
  if (inversions.is_search_cut())
    out.emplace_back("Incomplete: the locks are so entangled that not every ring among them was looked at.");
  if (inversions.threads_without_clock() != 0) {
    out.push_back(fmt::format("Of {} it is not known what came before: so many threads nest locks.",
                              counted(inversions.threads_without_clock(), "nested acquire", "nested acquires")));
  }
  return out;
}

std::string order_text(const Process& process, const Analysis& analysis, const Options& options) {
  const Inversions& inversions = analysis.inversions;
  std::string out = heading(process, analysis, options) + reservations(process, analysis, options) + "\n";
  if (!inversions.is_known()) return out + wrapped(std::string{cannot_know}, options.width, 0);
  for (const std::string& each : order_limits(inversions))
    out += wrapped(each, options.width, 2);
  const auto classes = order_classes(inversions);
  if (classes.empty()) {
    const std::string seen = counted(inversions.links(), "nested order of locks was", "nested orders of locks were");
    const std::size_t known = analysis.known.inversions;
    const std::string_view verdict =
        known == 0 ? "No lock order that could deadlock." : "No new lock order that could deadlock.";
    return out + toned(verdict, Tone::good, options.color) +
           (known == 0 ? "" : fmt::format(" ({} that the baseline accepts)", count(known))) +
           fmt::format(" ({} seen)\n", seen);
  }
  const Story story{process, analysis, options};
  for (std::size_t i = 0; i < std::min(classes.size(), most_told); ++i)
    out += (i == 0 ? "" : "\n") + story.told(i, classes.size(), classes[i]);
  if (classes.size() > most_told)
    out += fmt::format("\nand {} more (all of them: --format json)\n", count(classes.size() - most_told));
  return out;
}

std::string order_sentence(const Process& process, const Analysis& analysis) {
  const Inversions& inversions = analysis.inversions;
  const Names names{process};
  const auto classes = order_classes(inversions);
  std::size_t grave = 0;
  std::size_t happened = 0;
  std::string first;
  for (const auto& same : classes) {
    const Inversion& inversion = inversions.all()[same.front()];
    if (inversion.severity == Severity::note) continue;
    happened += inversion.happened ? 1 : 0;
    if (grave++ != 0) continue;
    first = inversion.is_join() ? names.site(inversion.join.join_site)
                                : names.site(inversion.cycle.links.front().key->inner_site);
  }
  if (grave == 0) return {};
  const std::string did = happened == 0                 ? ""
                          : happened == 1 && grave == 1 ? ", and did"
                                                        : fmt::format(", of which {} did", count(happened));
  return fmt::format("Lock order: {} that could deadlock{}, the first at {}: unspool order",
                     counted(grave, "place", "places"), did, first);
}

bool run_order(std::span<Input> inputs, const Options& options, std::FILE* out) {
  bool findings = false;
  for_each_process(
      inputs, options, out, "order",
      [&](const Process& process, const Analysis& analysis) {
        findings |= analysis.inversions.any_findings();
        return order_text(process, analysis, options);
      },
      [&](const Process& process, const Analysis& analysis) {
        findings |= analysis.inversions.any_findings();
        return order_json(process, analysis);
      });
  return findings;
}

}  // namespace unspool
