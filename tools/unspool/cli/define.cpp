// SPDX-License-Identifier: MIT
#include <spool/trace/schema.hpp>

#include <unspool/cli/arguments.hpp>
#include <unspool/render/together.hpp>

#include <algorithm>
#include <cctype>
#include <map>

namespace unspool::cli {
namespace {

constexpr std::string_view report = "report";

void add_common(CLI::App& app, Arguments& arguments) {
  app.add_option("INPUT", arguments.inputs, "trace directories, logs, directories with either, - for standard input")
      ->option_text(" ");
  app.add_option("--pattern", arguments.pattern, "the spdlog pattern of text logs, where it is not spool's own")
      ->option_text("PATTERN");
  app.add_option("--format", arguments.format, "table (for people), json, or csv (docs/json.md)")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->option_text("table|json|csv");
  app.add_option("--color", arguments.color, "auto: on a terminal, unless NO_COLOR is set")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->option_text("auto|always|never");
}

/// One value each time, or the INPUT behind it would be taken for another.
void add_list(CLI::App& app, const char* name, std::vector<std::string>& list, const char* what, const char* text) {
  app.add_option(name, list, what)->allow_extra_args(false)->option_text(text);
}

void add_threads_and_processes(CLI::App& app, Arguments& arguments) {
  add_list(app, "--thread", arguments.wanted.threads, "only these threads: a name, a glob, a number; repeatable",
           "NAME");
  add_list(app, "--process", arguments.wanted.processes,
           "only these processes: a program, PROGRAM-PID, a pid, a glob; repeatable", "NAME");
}

void add_objects(CLI::App& app, Arguments& arguments) {
  add_list(app, "--object", arguments.wanted.objects,
           "only these objects: a name, a glob, a number, FILE:LINE where they were made; repeatable", "NAME");
  add_list(app, "--kind", arguments.wanted.kinds,
           "only objects of this kind: lock, rlock, shared_lock, condition, event, semaphore, bounded_semaphore, "
           "barrier, queue, pool, timer, thread (joins); repeatable",
           "KIND");
}

void add_times(CLI::App& app, std::string_view command, Arguments& arguments) {
  app.add_option("--from", arguments.from, "only from this moment on: 14:03:07.5 or RFC 3339 (UTC), +12.5s, -3s or end")
      ->option_text("TIME");
  const bool copies = command == "cat";
  app.add_option("--to", arguments.to,
                 copies ? "only up to this moment; or ctf: whole traces, archives unpacked, for other readers of CTF"
                        : "only up to this moment")
      ->option_text(copies ? "TIME|ctf" : "TIME");
}

void add_least_wait(CLI::App& app, Arguments& arguments) {
  app.add_option("--min-wait", arguments.min_wait, "only waits of so long or longer: 10ms, 1.5s, 2m")
      ->option_text("SPAN");
}

void add_filters(CLI::App& app, std::string_view command, Arguments& arguments) {
  add_threads_and_processes(app, arguments);
  if (command != "threads" && command != "path") add_objects(app, arguments);
  if (command != "state") add_times(app, command, arguments);
  const std::vector<std::string_view> without_waits{"threads", "order", "misuse", "check", "cat", "path"};
  if (std::ranges::find(without_waits, command) == without_waits.end()) add_least_wait(app, arguments);
}

void add_baseline(CLI::App& app, Arguments& arguments) {
  app.add_option("--baseline", arguments.baseline, "findings in this file are counted and not told")
      ->option_text("FILE");
  app.add_option("--write-baseline", arguments.write_baseline, "write what is found to this file, as accepted")
      ->option_text("FILE");
}

void add_redaction(CLI::App& app, Arguments& arguments) {
  const auto not_empty = [](const std::string& key) {
    return std::string{key.empty() ? "--redact: the key is empty, and names would stay as they are" : ""};
  };
  app.add_option("--redact", arguments.redact, "pseudonyms in place of names and texts, the same ones for the same KEY")
      ->check(not_empty)
      ->option_text("KEY");
}

void add_state(CLI::App& app, Arguments& arguments) {
  app.add_option("--at", arguments.at,
                 "14:03:07.5 or RFC 3339 (UTC), +12.5s after the first Record, -3s before the last, or end")
      ->option_text("TIME");
}

void add_blame(CLI::App& app, Arguments& arguments) {
  app.add_flag("--folded", arguments.folded, "a line a chain with its nanoseconds, as flame graphs are made of");
}

void add_check(CLI::App& app, Arguments& arguments) {
  auto* const repair = app.add_flag("--repair", arguments.repair,
                                    "also write what can be read as a trace that any reader of CTF takes: into the "
                                    "directory of -o");
  auto* const output =
      app.add_option("-o,--output", arguments.cat.output, "of --repair: the directory that gets the traces")
          ->option_text("DIR");
  repair->needs(output);
  output->needs(repair);
}

void add_path(CLI::App& app, Arguments& arguments) {
  app.add_option("--from-message", arguments.path.from_message, "from the first message on that has this in its text")
      ->option_text("TEXT");
  app.add_option("--to-message", arguments.path.to_message,
                 "only up to the first message (behind the first of --from-message) that has this in its text")
      ->option_text("TEXT");
}

void add_cat(CLI::App& app, CatOptions& cat) {
  const std::map<std::string, CatOptions::Time> times{
      {"offset", CatOptions::Time::offset}, {"clock", CatOptions::Time::clock}, {"ticks", CatOptions::Time::ticks}};
  app.add_option("--time", cat.time, "offset: seconds since the first Record; clock: UTC; ticks: as in the file")
      ->transform(CLI::Transformer(times))
      ->option_text("offset|clock|ticks");
  auto* const split = app.add_option("--split-by-thread", cat.split,
                                     "a text file for each thread into this directory, which is made or empty")
                          ->option_text("DIR");
  app.add_flag("--replace", cat.replace, "of --split-by-thread: files that an earlier split left there may go")
      ->needs(split);
  app.add_option("-o,--output", cat.output, "of --to ctf: the directory that gets the traces")->option_text("DIR");
  app.add_flag("--definitions", cat.definitions, "also the definitions of threads, objects, sites and clock");
}

void add_together(CLI::App& app, Arguments& arguments) {
  app.add_flag("--together", arguments.together,
               "of several processes: only what they have in common, without what each says alone");
}

void add_messages(CLI::App& app, std::string_view command, Arguments& arguments) {
  constexpr std::size_t most = 1000;
  app.add_option("--messages", arguments.messages,
                 command == "report" ? "of each thread that is stuck, the last so many messages (3)"
                                     : "also the last so many messages of each thread concerned")
      ->check(CLI::Range(std::size_t{0}, most))
      ->option_text("N");
}

void add_questions(CLI::App& app, std::string_view command, Arguments& arguments) {
  if (command == "why") {
    app.add_option("THREAD", arguments.of_thread, "which thread: a name, a glob, a number")
        ->required()
        ->option_text(" ");
  }
  add_common(app, arguments);
  add_filters(app, command, arguments);
  add_redaction(app, arguments);
  const std::vector<std::string_view> with_findings{report, "deadlocks", "order", "misuse"};
  if (std::ranges::find(with_findings, command) != with_findings.end()) add_baseline(app, arguments);
  if (Together::is_for(command)) add_together(app, arguments);
  const std::vector<std::string_view> with_messages{report, "deadlocks", "locks", "state"};
  if (std::ranges::find(with_messages, command) != with_messages.end()) add_messages(app, command, arguments);
  if (command == "blame") add_blame(app, arguments);
  if (command == "check") add_check(app, arguments);
  if (command == "path") add_path(app, arguments);
  if (command == "state") add_state(app, arguments);
  if (command == "cat") add_cat(app, arguments.cat);
}

/// "table|json|csv"
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find('|'));
    words.emplace_back(word);
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return words;
}

}  // namespace

std::vector<std::string> names_of_questions() {
  std::vector<std::string> names;
  for (const Command& each : commands()) {
    if (each.name != "man" && each.name != "completion") names.emplace_back(each.name);
  }
  return names;
}

void define(CLI::App& app, Arguments& arguments) {
  app.footer(std::string{inputs_text} + std::string{examples} + std::string{exit_codes});
  app.require_subcommand(0, 1);
  add_questions(app, report, arguments);
  for (const Command& each : commands()) {
    CLI::App* const command = app.add_subcommand(std::string{each.name}, std::string{each.what});
    command->footer(std::string{each.name == "cat" ? each.about : ""} + std::string{each.examples});
    if (each.name == "completion") {
      command->add_option("SHELL", arguments.shell, "which shell")
          ->required()
          ->check(CLI::IsMember({"bash", "zsh", "fish"}))
          ->option_text("bash|zsh|fish");
    } else if (each.name == "man") {
      command->add_option("COMMAND", arguments.page, "which command; none: the tool as a whole")
          ->check(CLI::IsMember(names_of_questions()))
          ->option_text(" ");
    } else {
      add_questions(*command, each.name, arguments);
    }
  }
}

std::string name_of(const CLI::Option& option) {
  return option.get_lnames().empty() ? std::string{} : "--" + option.get_lnames().front();
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return !option->get_lnames().empty(); });
}

Value value_of(const CLI::Option& option) {
  const std::string& text = option.get_option_text();
  if (text.empty()) return {};
  if (text == "FILE") return {Value::Sort::file, {}};
  if (text == "DIR") return {Value::Sort::directory, {}};
  if (text == "KIND") {
    Value value{Value::Sort::word, {}};
    for (std::size_t kind = 0; kind < trace::kind_count; ++kind)
      value.words.emplace_back(trace::name_of(static_cast<trace::Kind>(kind)));
    return value;
  }
  const bool listed = text.find('|') != std::string::npos && std::islower(static_cast<unsigned char>(text[0])) != 0;
  if (listed) return {Value::Sort::word, words_of(text)};
  return {Value::Sort::free, {}};
}

}  // namespace unspool::cli
