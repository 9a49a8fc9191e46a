// SPDX-License-Identifier: MIT
//
// `unspool cat`: one line a Record.
#include <spool/trace/json_line.hpp>
#include <spool/trace/words.hpp>

#include <fmt/format.h>
#include <unspool/render/command.hpp>
#include <unspool/render/csv.hpp>
#include <unspool/render/named.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/text_line.hpp>

#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace unspool {
namespace {

/// Log lines, each with two keys at its end that only a reader knows: the exact time, and where the Record stands.
class JsonLines {
 public:
  explicit JsonLines(const Process& process) : process_(process), naming_(process) {}

  void append(const Record& record, std::string& out) {
    lines_.append(naming_.name(record), out);
    out.resize(out.size() - line_end.size());
    trace::LineBuffer place;
    trace::put_json_text(place_text(process_, record.place), place);
    fmt::format_to(std::back_inserter(out), R"(,"ticks":{},"place":"{}")", record.time, place.text());
    out += line_end;
  }
  void append_process(std::string& out) { lines_.append(naming_.process(), out); }

 private:
  static constexpr std::string_view line_end = "}\n";

  const Process& process_;
  Naming naming_;
  trace::JsonLines lines_;
};

/// What the JSON lines hold: a column for each key that most Records have, and one for the others together.
class CsvLines {
 public:
  explicit CsvLines(const Process& process) : lines_{process} {}

  static std::string header() {
    std::vector<std::string> cells{columns.begin(), columns.end()};
    cells.emplace_back("fields");
    return csv_line(cells);
  }

  void append(const Record& record, std::string& out) {
    line_.clear();
    lines_.append(record, line_);
    Json fields = Json::parse(line_, nullptr, false);
    std::vector<std::string> cells;
    for (const std::string_view column : columns) {
      const auto found = fields.find(column);
      cells.push_back(found == fields.end() ? std::string{} : csv_cell(*found));
      if (found != fields.end()) fields.erase(found);
    }
    cells.push_back(csv_cell(fields));
    out += csv_line(cells);
  }

 private:
  static constexpr std::array<std::string_view, 15> columns{
      "time",        "level", "record", "process.pid",   "thread.id",   "thread.name", "object.id", "object.kind",
      "object.name", "seq",   "body",   "code.filepath", "code.lineno", "ticks",       "place"};

  JsonLines lines_;
  std::string line_;
};

/// Writes in large pieces; false once nobody reads any more.
class Output {
 public:
  explicit Output(std::FILE* file) : file_(file) {}
  std::string& text() { return text_; }
  bool flush_when(std::size_t size) {
    if (text_.size() < size) return true;
    const bool written = std::fwrite(text_.data(), 1, text_.size(), file_) == text_.size();
    text_.clear();
    return written;
  }

 private:
  std::FILE* file_;
  std::string text_;
};

template <class Lines>
bool print(Input& input, const Options& options, Lines& lines, Record& record, Output& output) {
  const Filter filter{options.wanted, input.process, input.last};
  do {
    if (!filter.passes(record)) continue;
    lines.append(record, output.text());
    if (!output.flush_when(64 << 10)) return false;
  } while (input.source.next(record));
  return output.flush_when(1);
}

}  // namespace

bool run_cat(std::span<Input> inputs, const Options& options, const CatOptions& cat, std::FILE* out) {
  Output output{out};
  if (options.format == Options::Format::csv) output.text() += CsvLines::header();
  for (Input& input : inputs) {
    Record record;
    if (!input.source.next(record)) continue;
    const Process& process = input.process;
    const std::string whose = fmt::format("{}-{}", trace::escaped(process.program), process.pid);
    bool goes_on = false;
    if (options.format == Options::Format::json) {
      JsonLines lines{process};
      if (cat.definitions) lines.append_process(output.text());
      goes_on = print(input, options, lines, record, output);
    } else if (options.format == Options::Format::csv) {
      CsvLines lines{process};
      goes_on = print(input, options, lines, record, output);
    } else {
      TextLines lines{process, process.first_time, cat.time, inputs.size() > 1 ? whose + "  " : ""};
      goes_on = print(input, options, lines, record, output);
    }
    if (!goes_on) break;
  }
  return false;
}

}  // namespace unspool
