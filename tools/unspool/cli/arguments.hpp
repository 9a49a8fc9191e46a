// SPDX-License-Identifier: MIT
//
// What the command line of unspool can say. Owns the names of commands and options, what stands in --help, and so what
// manual pages and completions are made of; parses words, and does nothing with them.
#pragma once

#include <CLI/CLI.hpp>
#include <unspool/render/command.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unspool::cli {

struct Arguments {
  std::vector<std::string> inputs;
  std::string pattern;
  std::string format = "table";
  std::string color = "auto";
  std::string at = "end";
  std::string from;
  std::string to;
  std::string min_wait;
  Wanted wanted;  ///< the lists; from, to and min_wait are parsed from the texts above
  std::string baseline;
  std::string write_baseline;
  std::string redact;     ///< a key; empty: names stay
  std::string of_thread;  ///< of `why`
  PathOptions path;
  bool folded = false;
  bool repair = false;  ///< of `check`; to cat.output
  bool together = false;
  std::optional<std::size_t> messages;
  CatOptions cat;
  StateOptions state;
  std::string shell;  ///< of `completion`
  std::string page;   ///< of `man`: a command, or empty
};

/// A command as people read of it.
struct Command {
  std::string_view name;
  std::string_view what;      ///< one line, as in a list of commands
  std::string_view about;     ///< paragraphs for the manual page
  std::string_view examples;  ///< lines of "  COMMAND LINE    what it does"
};

const std::vector<Command>& commands();
/// Those that are asked about traces, and have a manual page.
std::vector<std::string> names_of_questions();

/// Of the tool as a whole.
extern const std::string_view about;
extern const std::string_view inputs_text;
extern const std::string_view exit_codes;
extern const std::string_view examples;

/// Gives the app all commands and options, bound to `arguments`, which outlives it.
void define(CLI::App& app, Arguments& arguments);

/// What an option's value can be.
struct Value {
  enum class Sort { none, word, file, directory, free };
  Sort sort = Sort::none;          ///< none: a flag
  std::vector<std::string> words;  ///< of Sort::word
};
Value value_of(const CLI::Option& option);
/// "--format"; of the positional one nothing.
std::string name_of(const CLI::Option& option);
/// Those with a name, in their order.
std::vector<const CLI::Option*> options_of(const CLI::App& app);

/// A script for `shell`: bash, zsh or fish.
std::string completion(const CLI::App& app, std::string_view shell);
/// The source (man(7) macros) of unspool(1), or of unspool-COMMAND(1).
std::string manual_page(const CLI::App& app, std::string_view command, std::string_view version);

}  // namespace unspool::cli
