// SPDX-License-Identifier: MIT
//
// The command line of unspool: arguments, exit codes, and where problems are printed. Asks no questions of its own.
#include <spool/trace/message.hpp>
#include <spool/trace/schema.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unspool/order/inputs.hpp>
#include <unspool/render/command.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

using namespace unspool;

enum Exit { nothing_found = 0, findings = 1, usage_error = 2, damaged = 3, unreadable = 4 };

constexpr std::string_view about =
    "unspool reads what a program's spool library recorded, and says who waited for whom, for how long, because of\n"
    "which line of code, and what is stuck.\n";

constexpr std::string_view examples = R"text(
An INPUT is a trace or a log:
  a directory PROGRAM-PID.spool, one segment of it (PROGRAM-PID.spool/000001), or a directory with several traces in it;
  a log of spool's JSON lines or text, plain or compressed (gzip, zstd); a directory with logs and no trace in it; `-`, or
  nothing where something is piped in. What a file is, its content says. Rotated files of one process may come in any
  order, and lines of several processes may be mixed.
Without a command it is `report`.

Examples:
  unspool bank-4711.spool                       everything at a glance
  unspool deadlocks bank-4711.spool             what is stuck, and why
  unspool order bank-4711.spool                 what could get stuck another time
  unspool blame --folded bank-4711.spool | flamegraph.pl >blame.svg
  unspool state --at 14:03:07.5 bank-4711.spool who did what at that moment
  unspool locks --format json bank-4711.spool   for a program to read
  unspool cat --thread worker-1 bank-4711.spool | less
  unspool cat --time clock /var/spool/traces    all traces in there, as a log
  unspool locks server.jsonl server.jsonl.*.gz  the same questions to log files
  ssh db3 zcat /var/log/kv.log.gz | unspool deadlocks
  unspool cat --pattern '[%Y-%m-%d %H:%M:%S.%e] [%l] (%N) %v%J' old.log

Exit codes:
  0  nothing found (threads and cat never find anything)
  1  findings, also where the input was damaged besides
  2  wrong usage
  3  nothing found, but the input was damaged: what could be read was analysed
  4  nothing could be read
)text";

constexpr std::string_view about_cat = R"text(
Examples:
  unspool cat --thread worker-1 server.jsonl          what one thread did
  unspool cat --split-by-thread threads server.jsonl  each thread's log: threads/worker-1.2.log, ...

One line a Record: time, thread, Record, object, and its fields. "worker-1(5)" is thread 5, "accounts(lock #17)" is the
17th object of the process, "at" is the line that made the Record, "-" is nobody or not known.

With --format json, one object a line, as spool's JSON sink writes it (docs/lines.md): `time` (UTC), `level`,
`record`, `process.pid`, `thread.id`, `thread.name`, `object.id`, `object.kind`, `object.name`, `seq`, `site` with
`code.filepath` and `code.lineno`, and the Record's other fields under their names; beside a number that is a thread or a
word stands FIELD.name. A message has `body`, `logger`, and where it was typed `format` and `arguments`. Two keys
more stand at the end: `ticks`, the exact time by the trace's clock (of logs: nanoseconds since 1970), and `place`,
SEGMENT/CHUNK@BYTE, or of a log FILE@BYTE in its plain text. With --definitions the lines hold all that the trace holds.
)text";

struct Arguments {
  std::vector<std::string> inputs;
  std::string pattern;
  std::string format = "table";
  std::string color = "auto";
  std::string at = "end";
  bool folded = false;
  CatOptions cat;
  StateOptions state;
};

void complain(const std::string& text) {
  fmt::print(stderr, "unspool: {}\n", spool::trace::escaped(text));
}

bool wants_color(const std::string& choice) {
  if (choice != "auto") return choice == "always";
  const char* const no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

/// As wide as the terminal, within what can be read; 100 columns anywhere else.
unsigned width() {
  struct winsize size {};
  const bool known = ::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::clamp<unsigned>(size.ws_col, 60, 200) : 100;
}

bool run(const std::string& command, std::span<Input> inputs, const Arguments& arguments) {
  Options options;
  options.format = arguments.format == "json" ? Options::Format::json : Options::Format::table;
  options.color = wants_color(arguments.color);
  options.width = width();
  if (command == "cat") return run_cat(inputs, options, arguments.cat, stdout);
  if (command == "threads") return run_threads(inputs, options, stdout);
  if (command == "locks") return run_locks(inputs, options, stdout);
  if (command == "joins") return run_joins(inputs, options, stdout);
  if (command == "state") return run_state(inputs, options, arguments.state, stdout);
  if (command == "waits") return run_waits(inputs, options, stdout);
  if (command == "blame") return run_blame(inputs, options, arguments.folded, stdout);
  if (command == "deadlocks") return run_deadlocks(inputs, options, stdout);
  if (command == "order") return run_order(inputs, options, stdout);
  if (command == "misuse") return run_misuse(inputs, options, stdout);
  if (command == "check") return run_check(inputs, options, stdout);
  return run_report(inputs, options, stdout);
}

/// Problems come up until the last Record is read, so they are said last. True when one is a damage.
bool tell_problems(const std::vector<Inputs::Source>& sources) {
  bool any = false;
  for (const auto& source : sources) {
    for (const Problem& problem : source.process.problems) {
      const bool note = problem.severity == Problem::Severity::note;
      any |= !note;
      complain((note ? "note: " : "") + problem.text);
    }
  }
  return any;
}

/// Reads what is asked about once over for the moments that count from its end. Empty, or why it cannot be.
std::string find_ends(const std::optional<Pattern>& pattern, Arguments& arguments) {
  if (!arguments.state.at.needs_last()) return {};
  if (std::ranges::find(arguments.inputs, "-") != arguments.inputs.end())
    return "a moment before the end takes two readings, which standard input cannot give; name a file or directory";
  Inputs opened{pattern, ::isatty(STDERR_FILENO) == 1};
  opened.open(arguments.inputs, {});
  std::vector<Input> inputs;
  for (const auto& source : opened.sources())
    inputs.push_back({source.process, source.records});
  arguments.state.last = last_times(inputs);
  return {};
}

/// Empty, or why the moment is none.
std::string parse_moment(Arguments& arguments) {
  const std::optional<When> at = When::parse(arguments.at);
  if (!at)
    return fmt::format("\"{}\" is no moment: 14:03:07.5, 2026-01-31T14:03:07Z, +12.5s, -3s and end are", arguments.at);
  arguments.state.at = *at;
  return {};
}

int analyse(const std::string& command, Arguments& arguments) {
  std::string refusal;
  std::optional<Pattern> pattern;
  if (!arguments.pattern.empty()) pattern = Pattern::compile(arguments.pattern, refusal);
  if (!refusal.empty()) {
    complain(refusal);
    return usage_error;
  }
  raise_file_limit();
  if (refusal = parse_moment(arguments); refusal.empty()) refusal = find_ends(pattern, arguments);
  if (!refusal.empty()) {
    complain(refusal);
    return usage_error;
  }
  Inputs opened{std::move(pattern), ::isatty(STDERR_FILENO) == 1};
  opened.open(arguments.inputs, {arguments.cat.definitions, command == "cat"});
  for (const std::string& each : opened.refusals())
    complain(each);
  if (opened.sources().empty()) return unreadable;
  std::vector<Input> inputs;
  for (const auto& source : opened.sources())
    inputs.push_back({source.process, source.records});
  if (!arguments.cat.split.empty()) {
    if (const std::string why = run_split(inputs, arguments.cat); !why.empty()) {
      complain(why);
      return unreadable;
    }
  }
  const bool found = arguments.cat.split.empty() && run(command, inputs, arguments);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    if (errno == EPIPE) return nothing_found;  // the reader has seen enough
    complain(fmt::format("the output could not be written ({})", std::strerror(errno)));
    return unreadable;
  }
  const bool any_damage = tell_problems(opened.sources()) || !opened.refusals().empty();
  if (found) return findings;
  return any_damage ? damaged : nothing_found;
}

/// Something is piped or redirected into unspool. Not /dev/null, which services and cron jobs have there.
bool has_standard_input() {
  struct stat standard {};
  return ::fstat(STDIN_FILENO, &standard) == 0 && (S_ISFIFO(standard.st_mode) || S_ISREG(standard.st_mode));
}

void add_common(CLI::App& app, Arguments& arguments) {
  app.add_option("INPUT", arguments.inputs, "trace directories, logs, directories with either, - for standard input")
      ->option_text(" ");
  app.add_option("--pattern", arguments.pattern, "the spdlog pattern of text logs, where it is not spool's own")
      ->option_text("PATTERN");
  app.add_option("--format", arguments.format, "table (for people) or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->option_text("table|json");
  app.add_option("--color", arguments.color, "auto: on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->option_text("auto|always|never");
}

void add_state(CLI::App& app, Arguments& arguments) {
  app.add_option("--at", arguments.at,
                 "14:03:07.5 or RFC 3339 (UTC), +12.5s after the first Record, -3s before the last, or end")
      ->option_text("TIME");
}

void add_cat(CLI::App& app, CatOptions& cat) {
  app.footer(std::string{about_cat});
  const std::map<std::string, CatOptions::Time> times{
      {"offset", CatOptions::Time::offset}, {"clock", CatOptions::Time::clock}, {"ticks", CatOptions::Time::ticks}};
  app.add_option("--time", cat.time, "offset: seconds since the first Record; clock: UTC; ticks: as in the file")
      ->transform(CLI::Transformer(times))
      ->option_text("offset|clock|ticks");
  app.add_option("--thread", cat.thread, "only this thread's Records")->option_text("NAME|NUMBER");
  auto* const split = app.add_option("--split-by-thread", cat.split,
                                     "a text file for each thread into this directory, which is made or empty")
                          ->option_text("DIR");
  app.add_flag("--replace", cat.replace, "of --split-by-thread: files that an earlier split left there may go")
      ->needs(split);
  app.add_flag("--definitions", cat.definitions, "also the definitions of threads, objects, sites and clock");
}

std::string version() {
  return fmt::format("unspool {} (trace format {}.{})", SPOOL_VERSION, trace::format_major, trace::format_minor);
}

int parse_and_run(int count, char** words) {
  Arguments arguments;
  CLI::App app{std::string{about}, "unspool"};
  app.footer(std::string{examples});
  app.set_version_flag("--version", version());
  app.require_subcommand(0, 1);
  add_common(app, arguments);
  const std::vector<std::pair<std::string, std::string>> commands{
      {"report", "everything at a glance"},
      {"threads", "who is who: each thread, from its creation to its end or its last wait"},
      {"locks", "for each lock who waited, how long, and who held it meanwhile"},
      {"joins", "who joined whom, from where, and how long it took"},
      {"deadlocks", "who still waited at the end, for whom, and whether anybody is left who could end it"},
      {"order", "locks that are taken in orders that could deadlock, though this run did not"},
      {"misuse", "lost wake-ups, locks held for long or for good, exceptions, timeouts, by line"},
      {"check", "whether the Records keep to the rules of spool's primitives: for a dump that you doubt"},
      {"waits", "conditions, events, semaphores, barriers, queues, pools, timers: who waited, who let them go on"},
      {"blame", "whose doing the waiting was in the end, along the chains of who waited for whom"},
      {"state", "a thread dump of any moment: who ran, who waited for what, who held what"},
      {"cat", "every Record, one a line"}};
  for (const auto& [name, what] : commands) {
    CLI::App* const command = app.add_subcommand(name, what);
    add_common(*command, arguments);
    if (name == "blame") {
      command->add_flag("--folded", arguments.folded,
                        "a line a chain with its nanoseconds, as flame graphs are made of");
    }
    if (name == "state") add_state(*command, arguments);
    if (name == "cat") add_cat(*command, arguments.cat);
  }
  try {
    app.parse(count, words);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    complain(fmt::format("{}; `unspool --help` explains", error.what()));
    return usage_error;
  }
  if (arguments.inputs.empty() && has_standard_input()) arguments.inputs.emplace_back("-");
  if (arguments.inputs.empty()) {
    complain("no trace is given: a directory PROGRAM-PID.spool, or a log; `unspool --help` explains");
    return usage_error;
  }
  const auto chosen = app.get_subcommands();
  return analyse(chosen.empty() ? "report" : chosen.front()->get_name(), arguments);
}

}  // namespace

int main(int count, char** words) {
  try {
    return parse_and_run(count, words);
  } catch (const std::bad_alloc&) {
    complain("out of memory: the trace has more threads, objects or sites than this machine has room for");
  } catch (const std::exception& error) {
    complain(fmt::format("gave up: {}; this is a fault of unspool, please report it", error.what()));
  }
  return unreadable;
}
