// SPDX-License-Identifier: MIT
//
// Several processes together, for people.
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/render/heading.hpp>
#include <unspool/render/locks.hpp>
#include <unspool/render/table.hpp>
#include <unspool/render/together.hpp>
#include <unspool/render/together_parts.hpp>

#include <algorithm>

namespace unspool {
namespace {

constexpr std::size_t most_members = 20;
constexpr std::size_t most_rows = 20;
constexpr std::size_t most_named = 4;
constexpr std::size_t most_in_report = 5;

using enum Table::Align;
constexpr auto at_end = Table::Cut::end;

std::string_view title_of(std::string_view sort) {
  if (sort == Baseline::deadlock) return "Deadlocks";
  return sort == Baseline::order ? "Lock orders that could deadlock" : "Misuse";
}

std::string seconds(std::int64_t nanoseconds) {
  return fmt::format("{:+.3f} s", static_cast<double>(nanoseconds) / 1e9);
}

}  // namespace

/// Tells one Together. It is a friend of it: what is kept there is for rendering only.
class TogetherText {
 public:
  TogetherText(const Together& together, const Scene& scene, const CommonClock& clock)
      : together_{together}, scene_{scene}, clock_{clock} {}

  std::string text() const {
    const TogetherSections sections = sections_of(together_.command_);
    std::string out = toned(fmt::format("Together: {}", counted(together_.members_.size(), "process", "processes")),
                            Tone::strong, scene_.options.color) +
                      "\n" + members() + wrapped(clock_words(), scene_.options.width, 2);
    if (together_.command_ == "state") out += wrapped(moments(), scene_.options.width, 2);
    if (sections.deadlocks) out += findings(Baseline::deadlock);
    if (sections.order) out += findings(Baseline::order);
    if (sections.misuse) out += findings(Baseline::misuse);
    if (sections.locks) out += locks();
    if (sections.joins) out += joins();
    if (sections.waits) out += waits();
    return out;
  }

 private:
  const Options& options() const { return scene_.options; }

  /// ns since the first Record of all.
  std::int64_t since_start(std::size_t index, trace::Ticks ticks) const {
    return static_cast<std::int64_t>(clock_.time(index, ticks) - together_.start(clock_));
  }
  std::string offset(std::size_t index, trace::Ticks ticks) const {
    return clock_.by() == CommonClock::By::none ? "?" : seconds(since_start(index, ticks));
  }

  std::string members() const {
    Table table{{{"process", left, true},
                 {"first Record"},
                 {"last"},
                 {"Records"},
                 {"lost"},
                 {"threads"},
                 {"waiting"},
                 {"findings"},
                 {"ended", left}}};
    const auto& all = together_.members_;
    for (std::size_t i = 0; i < std::min(all.size(), most_members); ++i) {
      const Together::Member& each = all[i];
      table.row({{scene_.names.thread(static_cast<trace::ThreadNumber>(i + 1))},
                 {each.records == 0 ? "-" : offset(i, each.first)},
                 {each.records == 0 ? "-" : offset(i, each.last)},
                 {count(each.records)},
                 {count(each.lost), each.lost == 0 ? Tone::plain : Tone::bad},
                 {count(each.threads)},
                 {count(each.waiting)},
                 {count(each.findings), each.findings == 0 ? Tone::plain : Tone::bad},
                 {each.orderly ? "in order" : "cut off"}});
    }
    std::string out = table.text(options().width, options().color, 2);
    if (all.size() > most_members)
      out += fmt::format("  and {} more (all of them: --format json)\n", count(all.size() - most_members));
    return out;
  }

  std::string clock_words() const {
    const auto agree = [&] { return duration(static_cast<double>(clock_.seen())); };
    if (clock_.by() == CommonClock::By::none)
      return "  Their times are not put together: a process does not say what time it was.";
    if (clock_.by() == CommonClock::By::monotonic)
      return fmt::format("  Their times are on one clock, that of the machine they all ran on, to within {}.", agree());
    if (clock_.uncertainty())
      return fmt::format("  Their times are put together by the wall clock of their machine, to within {}.", agree());
    std::string hosts;
    for (const std::string& host : clock_.hosts())
      hosts += (hosts.empty() ? "" : ", ") + (host.empty() ? "?" : trace::escaped(host));
    const std::string why =
        clock_.hosts().size() > 1
            ? fmt::format("of several hosts ({})", hosts)
            : fmt::format("of {}, where it is not recorded that it is one start of one machine", hosts);
    return fmt::format(
        "  Their times are put together by the wall clocks {}. How far those disagree is not recorded: it is at least "
        "{}, "
        "and what lies closer together than they disagree has no known order.",
        why, agree());
  }

  std::string moments() const {
    if (clock_.by() == CommonClock::By::none) return "  Each process is told as of its own moment.";
    std::int64_t least = 0;
    std::int64_t most = 0;
    for (std::size_t i = 0; i < together_.members_.size(); ++i) {
      const std::int64_t each = since_start(i, together_.members_[i].moment);
      least = i == 0 ? each : std::min(least, each);
      most = i == 0 ? each : std::max(most, each);
    }
    return fmt::format("  Each process is told as of its own moment; these lie {} apart.",
                       duration(static_cast<double>(most - least)));
  }

  /// "kvserver-1, kvserver-2 and 3 more"
  template <class Numbers>
  std::string processes(const Numbers& numbers) const {
    std::string out;
    std::size_t told = 0;
    for (const trace::ThreadNumber number : numbers) {
      if (told++ == most_named) break;
      out += (out.empty() ? "" : ", ") + scene_.names.thread(number);
    }
    return numbers.size() > most_named ? out + fmt::format(" and {} more", numbers.size() - most_named) : out;
  }

  std::string section(std::string_view title) const {
    return "\n" + toned(title, Tone::strong, options().color) + "\n";
  }

  std::string findings(std::string_view sort) const {
    std::vector<const std::pair<const std::pair<std::string_view, std::uint64_t>, Together::Finding>*> rows;
    for (const auto& each : together_.findings_) {
      if (each.first.first == sort) rows.push_back(&each);
    }
    if (rows.empty()) return fmt::format("\n{}: none in any of them.\n", title_of(sort));
    std::ranges::stable_sort(
        rows, [](const auto* a, const auto* b) { return a->second.processes.size() > b->second.processes.size(); });
    std::string out = section(title_of(sort));
    for (std::size_t i = 0; i < std::min(rows.size(), most_rows); ++i) {
      const Together::Finding& each = rows[i]->second;
      out += wrapped(
          fmt::format("  {} in {} of {} ({}), {}: {}. Fingerprint {}.", counted(each.count, "time", "times"),
                      each.processes.size(), counted(together_.members_.size(), "process", "processes"),
                      processes(each.processes), each.certainty, each.comment, hexadecimal(rows[i]->first.second)),
          options().width, 4);
    }
    if (rows.size() > most_rows) out += fmt::format("  and {} more\n", rows.size() - most_rows);
    return out;
  }

  std::string locks() const {
    std::vector<LockFigures> figures;
    std::string several;
    const std::vector<MergedLocks::Row> rows = together_.locks_.rows();
    const bool brief = together_.command_ == "report";
    for (const MergedLocks::Row& row : rows) {
      if (brief && figures.size() == most_in_report) break;
      figures.push_back(row.figures);
      if (row.processes.size() > 1 && figures.size() <= most_in_report) {
        several += wrapped(fmt::format("  {} is in {} processes: {}", lock_name(scene_.names, row.figures),
                                       row.processes.size(), processes(row.processes)),
                           options().width, 4);
      }
    }
    std::string out = section("Locks of all processes, by name and creation site") +
                      (brief && !figures.empty() ? locks_table(scene_, figures) : locks_body(scene_, figures));
    if (rows.size() > figures.size())
      out += fmt::format("and {} more: unspool locks --together\n", count(rows.size() - figures.size()));
    out += several;
    if (const std::uint64_t left = together_.locks_.left_out(); left != 0) {
      out += wrapped(fmt::format("  {} neither a name nor a creation site, and cannot be put together with others'.",
                                 counted(left, "lock has", "locks have")),
                     options().width, 2);
    }
    return out;
  }

  std::string joins() const {
    const auto& all = together_.joins_;
    if (all.empty()) return "\nNo thread was joined in any of them.\n";
    const std::size_t most = together_.command_ == "report" ? most_in_report : most_rows;
    Table table{{{"process", left, true},
                 {"who joined", left, true},
                 {"whom", left, true},
                 {"at", left, true, "", at_end},
                 {"waited"},
                 {"how it ended", left}}};
    for (std::size_t i = 0; i < std::min(all.size(), most); ++i) {
      const Together::JoinOf& join = all[i];
      table.row({{scene_.names.thread(join.process)},
                 {trace::escaped(join.joiner)},
                 {trace::escaped(join.target)},
                 {scene_.names.site_and_function(join.site)},
                 {duration(static_cast<double>(join.waited))},
                 {std::string{join.ending}, join.ending == name_of(Ending::unended) ? Tone::bad : Tone::plain}});
    }
    std::string out =
        section("Joins of all processes that waited longest") + table.text(options().width, options().color);
    const std::uint64_t more = together_.joins_not_kept_ + all.size() - std::min(all.size(), most);
    return more == 0 ? out : out + fmt::format("and {} that waited no longer\n", counted(more, "join", "joins"));
  }

  std::string wait_object(const Together::WaitKey& key) const {
    if (key.kind == trace::Kind::thread) return fmt::format("the end of \"{}\"", trace::escaped(key.name));
    const std::string kind{trace::name_of(key.kind)};
    if (!key.name.empty()) return fmt::format("{} \"{}\"", kind, trace::escaped(key.name));
    return key.made == 0 ? kind : fmt::format("{} of {}", kind, scene_.names.site(key.made));
  }

  std::string waits() const {
    if (together_.waits_.empty()) return "\nNo thread waits in any of them.\n";
    std::vector<const std::pair<const Together::WaitKey, Together::Waits>*> rows;
    for (const auto& each : together_.waits_)
      rows.push_back(&each);
    std::ranges::stable_sort(rows, [](const auto* a, const auto* b) { return a->second.threads > b->second.threads; });
    const std::size_t most = together_.command_ == "report" ? most_in_report : most_rows;
    Table table{
        {{"threads"}, {"wait for", left, true}, {"at", left, true, "", at_end}, {"longest"}, {"in", left, true}}};
    for (std::size_t i = 0; i < std::min(rows.size(), most); ++i) {
      const auto& [key, each] = *rows[i];
      table.row({{count(each.threads)},
                 {wait_object(key)},
                 {scene_.names.site(key.site)},
                 {duration(static_cast<double>(each.longest))},
                 {processes(each.processes)}});
    }
    std::string out = section("Who waits, in all processes") + table.text(options().width, options().color, 2);
    return rows.size() > most ? out + fmt::format("  and {} more such groups\n", rows.size() - most) : out;
  }

  const Together& together_;
  const Scene& scene_;
  const CommonClock& clock_;
};

std::string Together::text() {
  name_members();
  NoRecords none;
  const Analysis empty{merged_, none};
  const CommonClock clock{processes()};
  Scene scene{merged_, empty, options_};
  scene.actors = "processes";
  return TogetherText{*this, scene, clock}.text();
}

}  // namespace unspool
