// SPDX-License-Identifier: MIT
//
// Scripts for shells, made of the commands and options themselves, so that no list of them can grow stale.
#include <fmt/format.h>
#include <unspool/cli/arguments.hpp>

#include <map>

namespace unspool::cli {
namespace {

using Sort = Value::Sort;

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& each : commands())
    names.emplace_back(each.name);
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* const option : options_of(app))
    names.push_back(name_of(*option));
  return names;
}

const CLI::App& command_of(const CLI::App& app, std::string_view name) {
  return *app.get_subcommand(std::string{name});
}

/// In single quotes.
std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char each : text)
    out += each == '\'' ? "'\\''" : std::string(1, each);
  return out + "'";
}

/// What follows an option: the same whichever command it is of.
std::string bash_values(const CLI::App& app) {
  std::map<std::string, Value> values;
  const auto collect = [&](const CLI::App& from) {
    for (const CLI::Option* const option : options_of(from))
      values[name_of(*option)] = value_of(*option);
  };
  collect(app);
  for (const Command& each : commands())
    collect(command_of(app, each.name));
  std::string out;
  for (const auto& [name, value] : values) {
    if (value.sort == Sort::none) continue;
    std::string action = "return";
    if (value.sort == Sort::word)
      action = fmt::format("mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$word\") && return", joined(value.words));
    if (value.sort == Sort::file) action = "_unspool_files -f \"$word\" && return";
    if (value.sort == Sort::directory) action = "_unspool_files -d \"$word\" && return";
    out += fmt::format("    {}) {} ;;\n", name, action);
  }
  return out;
}

/// What a command takes besides options; where nothing stands here, files.
std::string bash_words() {
  return fmt::format(
      "    completion) words='bash zsh fish' files=no ;;\n    man) words='{}' files=no ;;\n"
      "    '') words='{}' ;;\n    *) words='' ;;\n",
      joined(names_of_questions()), joined(command_names()));
}

std::string bash(const CLI::App& app) {
  std::string options = fmt::format("    '') options='{}' ;;\n", joined(option_names(app)));
  for (const Command& each : commands())
    options += fmt::format("    {}) options='{}' ;;\n", each.name, joined(option_names(command_of(app, each.name))));
  return fmt::format(R"bash(# Completion of unspool for bash; printed by `unspool completion bash`.
_unspool_files() {{
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}}
_unspool() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command='' words options files=yes i
  COMPREPLY=()
  # bash breaks --format=json at the sign.
  [[ $word != '=' ]] || word=''
  [[ ${{COMP_WORDS[COMP_CWORD]}} == '=' || $before != '=' ]] || before=${{COMP_WORDS[COMP_CWORD - 2]}}
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ " {0} " != *" ${{COMP_WORDS[i]}} "* ]] || {{ command=${{COMP_WORDS[i]}} && break; }}
  done
  case $before in
{1}  esac
  case $command in
{2}  esac
  case $command in
{3}  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    return
  fi
  [[ $files == no ]] || _unspool_files -f "$word"
  mapfile -t -O ${{#COMPREPLY[@]}} COMPREPLY < <(compgen -W "$words" -- "$word")
}}
complete -F _unspool unspool
)bash",
                     joined(command_names()), bash_values(app), options, bash_words());
}

/// Brackets and colons part the description from the rest.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char each : text) {
    if (each == '[' || each == ']' || each == ':' || each == '\\') out += '\\';
    out += each;
  }
  return out;
}

std::string zsh_option(const CLI::Option& option) {
  const Value value = value_of(option);
  const bool repeats = option.get_expected_max() > 1;
  const std::string head = fmt::format("{}{}{}[{}]", repeats ? "*" : "", name_of(option),
                                       value.sort == Sort::none ? "" : "=", zsh_text(option.get_description()));
  std::string action;
  if (value.sort == Sort::word) action = fmt::format(":value:({})", joined(value.words));
  if (value.sort == Sort::file) action = ":file:_files";
  if (value.sort == Sort::directory) action = ":directory:_files -/";
  if (value.sort == Sort::free) action = ": :";
  return shell_quoted(head + action);
}

std::string zsh_options(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* const option : options_of(app))
    out += "\n      " + zsh_option(*option);
  return out;
}

std::string zsh(const CLI::App& app) {
  std::string names;
  std::string cases;
  for (const Command& each : commands()) {
    names += "\n    " + shell_quoted(fmt::format("{}:{}", each.name, zsh_text(each.what)));
    std::string rest = "'*:input:_files'";
    if (each.name == "completion") rest = "'*:shell:(bash zsh fish)'";
    if (each.name == "man") rest = shell_quoted(fmt::format("*:command:({})", joined(names_of_questions())));
    cases +=
        fmt::format("    {}) options=({}\n      {}) ;;\n", each.name, zsh_options(command_of(app, each.name)), rest);
  }
  return fmt::format(R"zsh(#compdef unspool
# Completion of unspool for zsh; printed by `unspool completion zsh`.
_unspool_first() {{
  local -a names
  names=({0})
  _describe command names
  _files
}}
_unspool() {{
  local -a options
  local command='' word
  for word in ${{words[2,CURRENT-1]}}; do
    case $word in
    {1}) command=$word; break ;;
    esac
  done
  case $command in
{2}    *) options=({3}
      '1: :_unspool_first' '*:input:_files') ;;
  esac
  # Behind the command its own words are counted from 1.
  if [[ -n $command ]]; then
    local at=${{words[(i)$command]}}
    words=("${{words[@]:$((at - 1))}}")
    (( CURRENT -= at - 1 ))
  fi
  _arguments $options
}}
if [[ ${{funcstack[1]}} == _unspool ]]; then _unspool "$@"; else compdef _unspool unspool; fi
)zsh",
                     names, fmt::format("{}", fmt::join(command_names(), "|")), cases, zsh_options(app));
}

std::string fish_option(const CLI::Option& option, std::string_view when) {
  const Value value = value_of(option);
  std::string line = fmt::format("complete -c unspool -n {} -l {}", shell_quoted(when), name_of(option).substr(2));
  if (value.sort == Sort::word) line += fmt::format(" -x -a '{}'", joined(value.words));
  if (value.sort == Sort::file) line += " -r -F";
  if (value.sort == Sort::directory) line += " -x -a '(__fish_complete_directories)'";
  if (value.sort == Sort::free) line += " -x";
  // In fish's single quotes a backslash stands before a quote.
  std::string what;
  for (const char each : option.get_description())
    what += each == '\'' || each == '\\' ? std::string{'\\', each} : std::string(1, each);
  return line + fmt::format(" -d '{}'\n", what);
}

std::string fish(const CLI::App& app) {
  const std::string none = fmt::format("not __fish_seen_subcommand_from {}", joined(command_names()));
  std::string out = "# Completion of unspool for fish; printed by `unspool completion fish`.\n";
  for (const CLI::Option* const option : options_of(app))
    out += fish_option(*option, none);
  for (const Command& each : commands())
    out += fmt::format("complete -c unspool -n '{}' -a {} -d {}\n", none, each.name, shell_quoted(each.what));
  for (const Command& each : commands()) {
    const std::string seen = fmt::format("__fish_seen_subcommand_from {}", each.name);
    for (const CLI::Option* const option : options_of(command_of(app, each.name)))
      out += fish_option(*option, seen);
  }
  out += "complete -c unspool -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n";
  return out + fmt::format("complete -c unspool -n '__fish_seen_subcommand_from man' -f -a '{}'\n",
                           joined(names_of_questions()));
}

}  // namespace

std::string completion(const CLI::App& app, std::string_view shell) {
  if (shell == "bash") return bash(app);
  return shell == "zsh" ? zsh(app) : fish(app);
}

}  // namespace unspool::cli
