// SPDX-License-Identifier: MIT
//
// Manual pages, made of the commands and options themselves. Owns their layout; texts.cpp has the words.
#include <fmt/format.h>
#include <unspool/cli/arguments.hpp>

#include <algorithm>
#include <cctype>

namespace unspool::cli {
namespace {

/// roff takes a backslash for its own, and a line that begins with . or ' for a request.
std::string escaped(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const char each : text) {
    if (begins && (each == '.' || each == '\'')) out += "\\&";
    if (each == '\\') {
      out += "\\e";
    } else if (each == '-') {
      out += "\\-";
    } else if (each == '\'') {
      out += "\\(aq";
    } else if (each == '`') {
      out += "\\(ga";
    } else if (each == '^') {
      out += "\\(ha";
    } else if (each == '~') {
      out += "\\(ti";
    } else {
      out += each;
    }
    begins = each == '\n';
  }
  return out;
}

std::string section(std::string_view name, const std::string& body) {
  return fmt::format(".SH {}\n{}", name, body);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of('\n');
  return begin == std::string_view::npos ? std::string_view{}
                                         : text.substr(begin, text.find_last_not_of('\n') - begin + 1);
}

/// Lines as they are, without their heading ("Examples:").
std::string verbatim(std::string_view text) {
  text = trimmed(text);
  if (const std::size_t colon = text.find(":\n"); colon != std::string_view::npos && text.find('\n') == colon + 1)
    text.remove_prefix(colon + 2);
  return fmt::format(".nf\n{}\n.fi\n", escaped(text));
}

/// Text in which an empty line parts paragraphs.
std::string paragraphs(std::string_view text) {
  std::string out = escaped(trimmed(text));
  for (std::size_t at = 0; (at = out.find("\n\n", at)) != std::string::npos;)
    out.replace(at, 2, "\n.PP\n");
  return out + "\n";
}

std::string option_entry(const CLI::Option& option) {
  const std::string value =
      option.get_option_text().empty() ? "" : fmt::format(" \\fI{}\\fR", escaped(option.get_option_text()));
  const std::string names =
      option.get_snames().empty() ? "" : fmt::format("\\fB\\-{}\\fR, ", option.get_snames().front());
  return fmt::format(".TP\n{}\\fB{}\\fR{}\n{}\n", names, escaped(name_of(option)), value,
                     escaped(option.get_description()));
}

std::string options_section(const CLI::App& app) {
  std::string body;
  for (const CLI::Option* const option : options_of(app))
    body += option_entry(*option);
  return section("OPTIONS", body);
}

constexpr std::string_view filters_text = R"text(
Names are matched as the program gave them or as the tables print them; * ? and [ ] are those of a shell. An option that
is repeated lets each of its names pass; different options have to pass all. Replay sees all Records whatever the filters, so
that holders are right; the figures count what passes. A wait or hold counts whole where any part of it lies between --from and
--to. A name that nothing has is wrong usage, and the nearest names are told.

Times are as those of --at of unspool-state(1): 14:03:07.5 or RFC 3339 (UTC), +12.5s after the first Record, -3s before the
last, or end.
)text";

constexpr std::string_view baseline_text = R"text(
A line of the file is a fingerprint of 16 hexadecimal digits, the sort of finding, and a comment behind #. Lines that begin with
# and empty lines are passed over. Findings that it has are counted and not told, and do not count for the exit code. A line that
fits no finding any more is told on standard error, unless a filter is on. --write-baseline writes what is found, keeps the lines
of --baseline that still fit, and ends with 0.
)text";

constexpr std::string_view environment_text = R"text(
.TP
.B NO_COLOR
No colours, unless \-\-color asks for them.
.TP
.B TMPDIR
Where archives without a seek table are unpacked, and what comes from standard input is copied to. /tmp if it is not set.
)text";

bool has_option(const CLI::App& app, std::string_view name) {
  return std::ranges::any_of(options_of(app), [&](const CLI::Option* each) { return name_of(*each) == name; });
}

std::string common_sections(const CLI::App& app) {
  std::string out;
  if (has_option(app, "--thread")) out += section("FILTERS", paragraphs(filters_text));
  if (has_option(app, "--baseline")) out += section("BASELINE", paragraphs(baseline_text));
  return out + section("ENVIRONMENT", fmt::format("{}\n", trimmed(environment_text))) +
         section("EXIT STATUS", verbatim(exit_codes));
}

std::string commands_section() {
  std::string body;
  for (const Command& each : commands())
    body += fmt::format(".TP\n\\fB{}\\fR\n{}\n", each.name, escaped(each.what));
  return section("COMMANDS", body);
}

std::string see_also(std::string_view but) {
  std::string body;
  for (const Command& each : commands()) {
    if (each.name == but || each.name == "man" || each.name == "completion") continue;
    body += fmt::format("{}.BR unspool\\-{} (1)", body.empty() ? "" : ",\n", each.name);
  }
  if (!but.empty()) body = ".BR unspool (1),\n" + body;
  return section("SEE ALSO", body + "\n");
}

std::string title(const std::string& name, std::string_view version, std::string_view what) {
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char each) { return static_cast<char>(std::toupper(each)); });
  return fmt::format(".TH {} 1 \"\" \"{}\" \"spool\"\n", escaped(upper), escaped(version)) +
         section("NAME", fmt::format("{} \\- {}\n", escaped(name), escaped(what)));
}

std::string tool_page(const CLI::App& app, std::string_view version) {
  return title("unspool", version, "who waited for whom, and what is stuck, from the logs of spool") +
         section("SYNOPSIS", ".B unspool\n[\\fICOMMAND\\fR] [\\fIOPTION\\fR ...] \\fIINPUT\\fR ...\n") +
         section("DESCRIPTION", paragraphs(about) + ".PP\n" + verbatim(inputs_text)) + commands_section() +
         options_section(app) + common_sections(app) + section("EXAMPLES", verbatim(examples)) + see_also("");
}

}  // namespace

std::string manual_page(const CLI::App& app, std::string_view command, std::string_view version) {
  if (command.empty()) return tool_page(app, version);
  const auto found = std::ranges::find(commands(), command, &Command::name);
  const CLI::App& own = *app.get_subcommand(std::string{command});
  return title("unspool-" + std::string{command}, version, found->what) +
         section("SYNOPSIS", fmt::format(".B unspool {}\n{}[\\fIOPTION\\fR ...] \\fIINPUT\\fR ...\n", escaped(command),
                                         command == "why" ? "\\fITHREAD\\fR " : "")) +
         section("DESCRIPTION", paragraphs(found->about)) + options_section(own) + common_sections(own) +
         section("EXAMPLES", verbatim(found->examples)) + see_also(command);
}

}  // namespace unspool::cli
