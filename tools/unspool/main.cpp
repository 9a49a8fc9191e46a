// SPDX-License-Identifier: MIT
//
// The command line of unspool: arguments, exit codes, and where problems are printed. Asks no questions of its own.
#include <spool/trace/message.hpp>
#include <spool/trace/schema.hpp>

#include <fmt/format.h>
#include <unspool/analyze/nearest.hpp>
#include <unspool/analyze/redact.hpp>
#include <unspool/cli/arguments.hpp>
#include <unspool/order/inputs.hpp>
#include <unspool/render/command.hpp>
#include <unspool/render/ctf.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <iterator>
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

using cli::Arguments;

/// Of each thread in a deadlock, as the report tells it.
constexpr std::size_t report_messages = 3;

void complain(const std::string& text) {
  fmt::print(stderr, "unspool: {}\n", spool::trace::escaped(text));
}

bool wants_color(const std::string& choice) {
  if (choice != "auto") return choice == "always";
  const char* const no_color = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

/// On a terminal, unless the answer comes there meanwhile.
bool shows_progress(const std::string& command) {
  return ::isatty(STDERR_FILENO) == 1 && (command != "cat" || ::isatty(STDOUT_FILENO) == 0);
}

/// As wide as the terminal, within what can be read; 100 columns anywhere else.
unsigned width() {
  struct winsize size {};
  const bool known = ::isatty(STDOUT_FILENO) == 1 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? std::clamp<unsigned>(size.ws_col, 60, 200) : 100;
}

Options options_of(const Arguments& arguments) {
  using enum Options::Format;
  Options options;
  options.format = arguments.format == "json" ? json : arguments.format == "csv" ? csv : table;
  options.color = wants_color(arguments.color);
  options.width = width();
  options.wanted = arguments.wanted;
  options.together = arguments.together;
  options.accept = !arguments.write_baseline.empty();
  return options;
}

bool run(const std::string& command, std::span<Input> inputs, const Options& options, const Arguments& arguments) {
  if (command == "cat") return run_cat(inputs, options, arguments.cat, stdout);
  if (command == "threads") return run_threads(inputs, options, stdout);
  if (command == "locks") return run_locks(inputs, options, stdout);
  if (command == "joins") return run_joins(inputs, options, stdout);
  if (command == "state") return run_state(inputs, options, arguments.state, stdout);
  if (command == "waits") return run_waits(inputs, options, stdout);
  if (command == "blame") return run_blame(inputs, options, arguments.folded, stdout);
  if (command == "why") return run_why(inputs, options, stdout);
  if (command == "path") return run_path(inputs, options, arguments.path, stdout);
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

/// Empty, or why not all could be written.
std::string write_traces(const Inputs& opened, const CatOptions& cat) {
  if (opened.traces().size() < opened.sources().size())
    return "a log cannot be written as CTF: only a trace holds what that needs";
  for (const auto& trace : opened.traces()) {
    if (std::string why = write_ctf(*trace, cat.output); !why.empty()) return why;
  }
  return {};
}

/// Says what the repaired traces lack. Empty, or why not all could be written.
std::string write_repaired_traces(const Inputs& opened, const std::string& directory) {
  if (opened.traces().size() < opened.sources().size())
    return "a log cannot be repaired: only a trace holds what that needs";
  for (const auto& trace : opened.traces()) {
    Repair repair;
    if (std::string why = write_repaired(*trace, directory, repair); !why.empty()) return why;
    complain(
        fmt::format("note: {} has all that can be read; {} of {} packets end before {} bytes of them that cannot, "
                    "{} times that went back are corrected",
                    repair.place, repair.cut, repair.packets, repair.bytes, repair.times));
  }
  return {};
}

/// `cat --to ctf -o DIR`: not a moment, but another form. Empty, or what does not go together.
std::string parse_form(Arguments& arguments) {
  CatOptions& cat = arguments.cat;
  if (arguments.to != "ctf") return cat.output.empty() ? "" : "-o goes with --to ctf";
  cat.to = std::exchange(arguments.to, {});
  if (cat.output.empty()) return "--to ctf takes the directory for the traces too: -o DIR";
  if (!cat.split.empty()) return "--to ctf and --split-by-thread exclude each other";
  if (!arguments.redact.empty()) return "--to ctf writes the traces as they are; --redact goes with --format json";
  if (arguments.wanted.any() || !arguments.from.empty())
    return "--to ctf writes whole traces; filters do not go with it";
  return {};
}

/// What the words of options mean. Empty, or which of them means nothing.
std::string parse_values(Arguments& arguments) {
  const auto moment = [](const std::string& text, std::optional<When>& when) {
    when = When::parse(text);
    return when.has_value()
               ? ""
               : fmt::format("\"{}\" is no moment: 14:03:07.5, 2026-01-31T14:03:07Z, +12.5s, -3s and end are", text);
  };
  std::optional<When> at;
  std::string refusal = moment(arguments.at, at);
  if (at) arguments.state.at = *at;
  if (refusal.empty() && !arguments.from.empty()) refusal = moment(arguments.from, arguments.wanted.from);
  if (refusal.empty() && !arguments.to.empty()) refusal = moment(arguments.to, arguments.wanted.to);
  if (!refusal.empty() || arguments.min_wait.empty()) return refusal;
  const auto least = parse_duration(arguments.min_wait);
  if (!least) return fmt::format("\"{}\" is no length of a wait: 10ms, 1.5s and 2m are", arguments.min_wait);
  arguments.wanted.min_wait = *least;
  return {};
}

/// Reads what is asked about once over for moments that count from its end: for each source in turn its last Record's
/// time. Empty where none does.
std::vector<trace::Ticks> find_ends(const std::optional<Pattern>& pattern, const Arguments& arguments,
                                    std::string& refusal) {
  if (!arguments.state.at.needs_last() && !arguments.wanted.needs_last()) return {};
  if (std::ranges::find(arguments.inputs, "-") != arguments.inputs.end()) {
    refusal = "a moment before the end takes two readings, which standard input cannot give; name a file or directory";
    return {};
  }
  Inputs opened{pattern, ::isatty(STDERR_FILENO) == 1};
  opened.open(arguments.inputs, {});
  std::vector<trace::Ticks> ends;
  for (const auto& source : opened.sources())
    ends.push_back(last_time(source.records));
  return ends;
}

/// The processes that are asked for. `refusal`: a filter fits nothing in them, or no time is left between its ends.
std::vector<Input> choose(const Inputs& opened, const std::vector<trace::Ticks>& ends, const Wanted& wanted,
                          std::string& refusal) {
  std::vector<const Process*> all;
  for (const auto& source : opened.sources())
    all.push_back(&source.process);
  Wanted processes;
  processes.processes = wanted.processes;
  if (refusal = misfit(processes, all); !refusal.empty()) return {};
  std::vector<Input> inputs;
  std::vector<const Process*> chosen;
  bool empty_span = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& source = opened.sources()[i];
    if (!passes(wanted, source.process)) continue;
    inputs.push_back({source.process, source.records, i < ends.size() ? ends[i] : 0});
    chosen.push_back(&source.process);
    const Filter filter{wanted, source.process, inputs.back().last};
    empty_span = empty_span && filter.from() > filter.to();
  }
  refusal = misfit(wanted, chosen);
  if (refusal.empty() && empty_span) refusal = "--from lies behind --to: no time is between them";
  return inputs;
}

/// Puts pseudonyms in place of the names, where there is a key.
class Redaction {
 public:
  Redaction(const std::string& key, std::vector<Input>& inputs, Wanted& wanted) : redactor_{key} {
    if (key.empty()) return;
    std::vector<const Process*> processes;
    std::ranges::transform(inputs, std::back_inserter(processes), [](const Input& each) { return &each.process; });
    wanted = redactor_.rename(wanted, processes);
    std::vector<Input> redacted;
    for (const Input& input : inputs) {
      redactor_.rename(input.process);
      redacted.push_back({input.process, sources_.emplace_back(redactor_, input.process, input.source), input.last});
    }
    inputs.swap(redacted);
  }

 private:
  Redactor redactor_;
  std::deque<Redacted> sources_;
};

/// Lines of the baseline that nothing fits any more, and the new one. True where it could not be written.
bool finish_baseline(const Baseline& baseline, const Arguments& arguments) {
  for (const std::string& line : baseline.stale())
    complain("note: " + line);
  if (arguments.write_baseline.empty()) return false;
  const std::string why = baseline.write(arguments.write_baseline);
  if (!why.empty()) complain(why);
  return !why.empty();
}

int refuse(const std::string& why) {
  complain(why);
  return usage_error;
}

int analyse(const std::string& command, Arguments& arguments) {
  std::string refusal;
  std::optional<Pattern> pattern;
  Baseline baseline;
  if (!arguments.pattern.empty()) pattern = Pattern::compile(arguments.pattern, refusal);
  if (refusal.empty() && command == "cat") refusal = parse_form(arguments);
  if (refusal.empty()) refusal = parse_values(arguments);
  if (refusal.empty() && !arguments.baseline.empty()) refusal = baseline.read(arguments.baseline);
  if (!refusal.empty()) return refuse(refusal);
  raise_file_limit();
  const std::vector<trace::Ticks> ends = find_ends(pattern, arguments, refusal);
  if (!refusal.empty()) return refuse(refusal);
  Options options = options_of(arguments);
  options.messages = arguments.messages.value_or(command == "report" ? report_messages : 0);
  Inputs opened{std::move(pattern), shows_progress(command)};
  opened.open(arguments.inputs, {arguments.cat.definitions,
                                 command == "cat" || options.messages != 0 || command == "path", command == "cat"});
  for (const std::string& each : opened.refusals())
    complain(each);
  if (opened.sources().empty()) return unreadable;
  std::vector<Input> inputs = choose(opened, ends, arguments.wanted, refusal);
  if (!refusal.empty()) return refuse(refusal);
  const Redaction redaction{arguments.redact, inputs, options.wanted};
  options.processes_left_out = opened.sources().size() - inputs.size();
  if (!arguments.baseline.empty() || options.accept) options.baseline = &baseline;
  if (!arguments.cat.split.empty()) {
    if (const std::string why = run_split(inputs, options, arguments.cat); !why.empty()) {
      complain(why);
      return unreadable;
    }
  }
  if (!arguments.cat.to.empty()) {
    if (const std::string why = write_traces(opened, arguments.cat); !why.empty()) {
      complain(why);
      return unreadable;
    }
  }
  if (arguments.repair &&
      (!arguments.redact.empty() || arguments.wanted.any() || !arguments.from.empty() || !arguments.to.empty()))
    return refuse("--repair writes whole traces as they are; filters and --redact do not go with it");
  const bool prints = arguments.cat.split.empty() && arguments.cat.to.empty();
  const bool found = prints && run(command, inputs, options, arguments);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    if (errno == EPIPE) return nothing_found;  // the reader has seen enough
    complain(fmt::format("the output could not be written ({})", std::strerror(errno)));
    return unreadable;
  }
  if (arguments.repair) {
    if (const std::string why = write_repaired_traces(opened, arguments.cat.output); !why.empty()) {
      complain(why);
      return unreadable;
    }
  }
  const bool any_damage = tell_problems(opened.sources()) || !opened.refusals().empty();
  if (options.baseline != nullptr && finish_baseline(baseline, arguments)) return unreadable;
  if (found && !options.accept) return findings;
  return any_damage ? damaged : nothing_found;
}

/// Something is piped or redirected into unspool. Not /dev/null, which services and cron jobs have there.
bool has_standard_input() {
  struct stat standard {};
  return ::fstat(STDIN_FILENO, &standard) == 0 && (S_ISFIFO(standard.st_mode) || S_ISREG(standard.st_mode));
}

std::string version() {
  return fmt::format("unspool {} (trace format {}.{})", SPOOL_VERSION, trace::format_major, trace::format_minor);
}

/// An option before the command that the command itself does not have: it would say nothing there.
std::string misplaced(const CLI::App& app, const CLI::App& command) {
  for (const CLI::Option* const option : cli::options_of(app)) {
    const std::string name = cli::name_of(*option);
    const bool known = command.get_option_no_throw(name) != nullptr;
    if (option->count() != 0 && !known) return fmt::format("{} has no {}", command.get_name(), name);
  }
  return {};
}

/// A word in place of a command that is none, and no file either.
std::string mistyped(const CLI::App& app, const std::vector<std::string>& inputs) {
  if (inputs.empty() || inputs.front() == "-" || inputs.front().find_first_of("./") != std::string::npos) return {};
  if (::access(inputs.front().c_str(), F_OK) == 0) return {};
  Nearest nearest{inputs.front()};
  for (const CLI::App* const each : app.get_subcommands({}))
    nearest.add(each->get_name());
  const std::string near = nearest.words();
  return fmt::format("\"{}\" is neither a command nor a file{}; `unspool --help` has the commands", inputs.front(),
                     near.empty() ? "" : "; the nearest: " + near);
}

int print_text(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0 ? nothing_found : unreadable;
}

int parse_and_run(int count, char** words) {
  Arguments arguments;
  CLI::App app{std::string{cli::about}, "unspool"};
  app.set_version_flag("--version", version());
  cli::define(app, arguments);
  try {
    app.parse(count, words);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return refuse(fmt::format("{}; `unspool --help` explains", error.what()));
  }
  const auto chosen = app.get_subcommands();
  const std::string command = chosen.empty() ? "report" : chosen.front()->get_name();
  if (const std::string why = chosen.empty() ? "" : misplaced(app, *chosen.front()); !why.empty())
    return refuse(fmt::format("{}; `unspool {} --help` explains", why, command));
  if (const std::string why = chosen.empty() ? mistyped(app, arguments.inputs) : ""; !why.empty()) return refuse(why);
  if (!arguments.redact.empty() && !(arguments.path.from_message + arguments.path.to_message).empty())
    return refuse("--from-message and --to-message look for texts, which --redact replaces; give --from and --to");
  if (command == "why") arguments.wanted.threads.push_back(arguments.of_thread);
  if (command == "completion") return print_text(cli::completion(app, arguments.shell));
  if (command == "man") return print_text(cli::manual_page(app, arguments.page, "unspool " SPOOL_VERSION));
  if (arguments.inputs.empty() && has_standard_input()) arguments.inputs.emplace_back("-");
  if (arguments.inputs.empty() && command == "why") {
    return refuse(fmt::format("why takes a thread and a trace, and has \"{}\" only: unspool why THREAD INPUT",
                              arguments.of_thread));
  }
  if (arguments.inputs.empty())
    return refuse("no trace is given: a directory PROGRAM-PID.spool, or a log; `unspool --help` explains");
  return analyse(command, arguments);
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
