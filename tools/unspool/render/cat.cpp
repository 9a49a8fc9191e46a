// SPDX-License-Identifier: MIT
//
// `unspool cat`: one line a Record.
#include <spool/trace/json_line.hpp>
#include <spool/trace/words.hpp>

#include <fmt/format.h>
#include <unspool/render/command.hpp>
#include <unspool/render/fields.hpp>
#include <unspool/render/named.hpp>
#include <unspool/render/style.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace unspool {
namespace {

using trace::Kind;
using trace::Means;

constexpr std::size_t widest_thread = 24;
constexpr std::size_t name_width = 18;  // condition.continue
constexpr std::size_t offset_width = 14;

/// Quoted, on one line, with no quote inside that could end it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char each : trace::escaped(text)) {
    if (each == '"') out += '\\';
    out += each;
  }
  return out + '"';
}

class TextLines {
 public:
  TextLines(const Process& process, trace::Ticks start, const CatOptions& options, std::string prefix)
      : labels_(process), moments_(process, start), time_(options.time), prefix_(std::move(prefix)) {
    for (const auto& [number, thread] : process.threads) {
      if (thread.origin == trace::Origin::internal) continue;
      thread_width_ = std::max(thread_width_, std::min(columns(labels_.thread(number)), widest_thread));
    }
  }

  void append(const Record& record, std::string& out) {
    out += prefix_;
    out += time(record.time);
    out += "  ";
    padded(labels_.thread(record.thread), thread_width_, out);
    out += "  ";
    if (record.row->kind == Kind::message) {
      append_message(record, out);
    } else {
      append_row(record, out);
    }
    out += '\n';
  }

 private:
  static void padded(const std::string& text, std::size_t width, std::string& out) {
    out += text;
    const std::size_t wide = columns(text);
    if (wide < width) out.append(width - wide, ' ');
  }

  std::string time(trace::Ticks time) const {
    switch (time_) {
      case CatOptions::Time::clock:
        return moments_.clock(time);
      case CatOptions::Time::ticks:
        return fmt::format("{}", time);
      case CatOptions::Time::offset:
        break;
    }
    return fmt::format("{:>{}}", moments_.offset(time), offset_width);
  }

  void append_message(const Record& record, std::string& out) {
    const MessageParts message{record};
    padded("message", name_width, out);
    out += "  ";
    padded(std::string{trace::name_of(message.level)}, 8, out);
    out += "  ";
    out += trace::escaped(message.text);
    if (!message.logger.empty()) out += "  logger=" + trace::escaped(message.logger);
    out += "  at=" + labels_.site(record.site);
  }

  void append_row(const Record& record, std::string& out) {
    padded(std::string{record.row->name}, name_width, out);
    if (record.object != 0) out += "  " + labels_.object(record.object, record.row->kind);
    std::string_view gap = "  ";
    const RecordFields read{record};
    for (std::size_t i = 0; i < read.values.size(); ++i) {
      if (read.fields[i].name.starts_with("reserved")) continue;
      out += std::exchange(gap, " ");
      out += read.fields[i].name == "site" ? std::string_view{"at"} : read.fields[i].name;
      out += '=';
      out += value(*record.row, read.fields[i], read.values[i]);
    }
  }

  std::string value(const trace::Row& row, const trace::Field& field, const trace::Value& value) {
    if (const auto* text = std::get_if<std::string_view>(&value)) return quoted(*text);
    const auto* number = std::get_if<std::uint64_t>(&value);
    if (!number) return "?";
    const auto narrow = static_cast<std::uint32_t>(*number);
    switch (field.means) {
      case Means::thread:
        return labels_.thread(narrow);
      case Means::object:
        return labels_.object(*number, Kind::trace);
      case Means::ticks:
        return field.type == trace::Type::u64 ? time_value(*number) : span_value(*number);
      case Means::site:
        // A definition's own number, which others refer to.
        if (row.kind == Kind::definition && field.name == "number") break;
        return labels_.site(narrow);
      case Means::value:
      case Means::sequence:
        break;
    }
    if (field.name == "daemon") return *number != 0 ? "yes" : "no";
    const std::string_view word = trace::word_of(row, field, *number);
    return word.empty() ? fmt::format("{}", *number) : std::string{word};
  }

  std::string time_value(trace::Ticks time) const {
    if (time_ == CatOptions::Time::clock) return moments_.clock(time);
    return time_ == CatOptions::Time::ticks ? fmt::format("{}", time) : moments_.offset(time);
  }
  std::string span_value(trace::Ticks span) const {
    return time_ == CatOptions::Time::ticks ? fmt::format("{}", span) : fmt::format("{}ns", moments_.span(span));
  }

  Labels labels_;
  Moments moments_;
  CatOptions::Time time_;
  std::string prefix_;
  std::size_t thread_width_ = 8;
};

class JsonLines {
 public:
  explicit JsonLines(const Process& process) : naming_(process) {}

  void append(const Record& record, std::string& out) { lines_.append(naming_.name(record), out); }
  void append_process(std::string& out) { lines_.append(naming_.process(), out); }

 private:
  Naming naming_;
  trace::JsonLines lines_;
};

/// The threads asked for, by name or number.
class ThreadFilter {
 public:
  ThreadFilter(const Process& process, const std::string& wanted) : process_(process), name_(wanted) {
    const char* const end = wanted.data() + wanted.size();
    const auto [rest, error] = std::from_chars(wanted.data(), end, number_);
    if (error != std::errc{} || rest != end) number_ = 0;
  }

  bool passes(trace::ThreadNumber thread) const {
    if (name_.empty() || (number_ != 0 && thread == number_)) return true;
    const auto found = process_.threads.find(thread);
    return found != process_.threads.end() && found->second.name == name_;
  }

 private:
  const Process& process_;
  const std::string& name_;
  trace::ThreadNumber number_ = 0;
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
bool print(Input& input, const CatOptions& options, Lines& lines, Record& record, Output& output) {
  const ThreadFilter filter{input.process, options.thread};
  do {
    if (!filter.passes(record.thread)) continue;
    lines.append(record, output.text());
    if (!output.flush_when(64 << 10)) return false;
  } while (input.source.next(record));
  return output.flush_when(1);
}

}  // namespace

bool run_cat(std::span<Input> inputs, const Options& options, const CatOptions& cat, std::FILE* out) {
  Output output{out};
  for (Input& input : inputs) {
    Record record;
    if (!input.source.next(record)) continue;
    const Process& process = input.process;
    const std::string whose = fmt::format("{}-{}", trace::escaped(process.program), process.pid);
    bool goes_on = false;
    if (options.format == Options::Format::json) {
      JsonLines lines{process};
      if (cat.definitions) lines.append_process(output.text());
      goes_on = print(input, cat, lines, record, output);
    } else {
      TextLines lines{process, process.first_time, cat, inputs.size() > 1 ? whose + "  " : ""};
      goes_on = print(input, cat, lines, record, output);
    }
    if (!goes_on) break;
  }
  return false;
}

}  // namespace unspool
