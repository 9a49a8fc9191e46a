// SPDX-License-Identifier: MIT
#include <spool/sinks/text.hpp>
#include <spool/trace/message.hpp>
#include <spool/trace/text_line.hpp>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <chrono>
#include <utility>

namespace spool::sinks {
namespace {

/// The Record being written, for the flags that spdlog's message has no room for. The feeder alone writes.
struct Current {
  std::string thread_name;
  std::string number;
  std::string pairs;
  std::string words;
  trace::LineBuffer line;  ///< of the default pattern
  bool daemon = false;
};

using Pick = std::string_view (*)(const Current&);

/// A flag of ours.
class Flag final : public spdlog::custom_flag_formatter {
 public:
  Flag(std::shared_ptr<const Current> current, Pick pick) : current_{std::move(current)}, pick_{pick} {}

  void format(const spdlog::details::log_msg& /*message*/, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    using Side = spdlog::details::padding_info::pad_side;
    std::string_view text = pick_(*current_);
    if (padinfo_.truncate_ && text.size() > padinfo_.width_) text = text.substr(0, padinfo_.width_);
    const std::size_t spaces = padinfo_.width_ > text.size() ? padinfo_.width_ - text.size() : 0;
    const std::size_t before = padinfo_.side_ == Side::left ? spaces : padinfo_.side_ == Side::center ? spaces / 2 : 0;
    const std::string padded = std::string(before, ' ').append(text).append(spaces - before, ' ');
    out.append(padded.data(), padded.data() + padded.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Flag>(current_, pick_); }

 private:
  std::shared_ptr<const Current> current_;
  Pick pick_;
};

/// The default pattern's line is made already: much faster than flag by flag.
class WholeLine final : public spdlog::formatter {
 public:
  explicit WholeLine(std::shared_ptr<const Current> current) : current_{std::move(current)} {}

  void format(const spdlog::details::log_msg& /*message*/, spdlog::memory_buf_t& out) override {
    const std::string_view line = current_->line.text();
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<formatter> clone() const override { return std::make_unique<WholeLine>(current_); }

 private:
  std::shared_ptr<const Current> current_;
};

/// Hands a Record over as a message of spdlog, whose formatter knows what the message has no room for.
class Lines {
 public:
  Lines(const std::string& pattern, spdlog::pattern_time_type clock)
      : pattern_{pattern},
        is_default_{pattern == default_pattern},
        has_pairs_{pattern.find('J') != std::string::npos},
        clock_{clock} {}

  std::unique_ptr<spdlog::formatter> formatter() const {
    if (is_default_) return std::make_unique<WholeLine>(current_);
    auto made = std::make_unique<spdlog::pattern_formatter>(clock_);
    made->add_flag<Flag>('N', current_, [](const Current& now) -> std::string_view { return now.thread_name; });
    made->add_flag<Flag>('K', current_, [](const Current& now) -> std::string_view { return now.number; });
    made->add_flag<Flag>('J', current_, [](const Current& now) -> std::string_view { return now.pairs; });
    made->add_flag<Flag>('Q', current_,
                         [](const Current& now) -> std::string_view { return now.daemon ? "daemon" : ""; });
    made->set_pattern(pattern_);
    return made;
  }

  /// Calls `log` with the message.
  template <class F>
  void with_message(const SinkRecord& record, F log) {
    const std::string_view words = take(record);
    const Place& place = place_of(record);
    if (raw_logger_ != record.logger) {
      raw_logger_ = record.logger;
      logger_ = trace::escaped(raw_logger_);
    }
    const spdlog::source_loc at{place.file.empty() ? nullptr : place.file.c_str(), static_cast<int>(record.line),
                                place.function.c_str()};
    const spdlog::log_clock::time_point time{std::chrono::nanoseconds{record.time}};
    spdlog::details::log_msg message{time, at, logger_, level_of(record.level), words};
    message.thread_id = record.native_id;
    log(message);
  }

 private:
  /// A site's texts as spdlog may show them.
  struct Place : trace::Made {
    std::string raw_file;
    std::string raw_function;
    std::string file;
    std::string function;
  };

  static spdlog::level::level_enum level_of(trace::Level level) {
    return static_cast<spdlog::level::level_enum>(level);  // the same order in both
  }

  const Place& place_of(const SinkRecord& record) {
    Place& known = places_->place(record.site);
    const auto is_same = [&] { return known.raw_file == record.file && known.raw_function == record.function; };
    if (!known.is_of(record.site, record.names, is_same)) {
      known = {{record.site, record.names},
               std::string{record.file},
               std::string{record.function},
               trace::escaped(record.file),
               trace::escaped(record.function)};
    }
    return known;
  }

  /// The message's text.
  std::string_view take(const SinkRecord& record) {
    Current& now = *current_;
    if (is_default_) {
      now.line.clear();
      lines_.append(record, now.line);
      return now.line.text();
    }
    now.words.clear();
    now.pairs.clear();
    now.thread_name = trace::thread_text(record.thread_name);
    now.number = std::to_string(record.thread);
    now.daemon = record.daemon;
    lines_.words(record, now.words);
    if (has_pairs_) {
      now.pairs = '\t';
      lines_.pairs(record, now.pairs);
    } else if (record.row->kind != trace::Kind::message) {
      now.words += ' ';
      lines_.pairs(record, now.words);
    }
    return now.words;
  }

  const std::string pattern_;
  const bool is_default_;
  const bool has_pairs_;
  const spdlog::pattern_time_type clock_;
  std::shared_ptr<Current> current_ = std::make_shared<Current>();
  trace::TextLines lines_;
  std::unique_ptr<trace::FragmentCache<Place>> places_ = std::make_unique<trace::FragmentCache<Place>>();
  std::string raw_logger_;
  std::string logger_;
};

class TextSink final : public Sink {
 public:
  TextSink(std::shared_ptr<spdlog::sinks::sink> target, const std::string& pattern, Tell tell,
           spdlog::pattern_time_type clock)
      : lines_{pattern, clock}, target_{std::move(target)}, everything_{tell == Tell::everything} {
    target_->set_formatter(lines_.formatter());
  }

  void write(const SinkRecord& record) override {
    lines_.with_message(record, [&](const auto& message) { target_->log(message); });
  }
  void flush() override { target_->flush(); }
  bool wants_transitions() const override { return everything_; }

 private:
  Lines lines_;
  std::shared_ptr<spdlog::sinks::sink> target_;
  const bool everything_;
};

/// The default pattern, without spdlog.
class TextFileSink final : public FileSink {
 public:
  TextFileSink(const std::filesystem::path& path, const std::string& pattern, const FileOptions& options)
      : file_{path}, is_default_{pattern == default_pattern}, transitions_{options.transitions} {
    policy = options.policy;
    if (is_default_) return;
    by_pattern_ = std::make_unique<Lines>(pattern, spdlog::pattern_time_type::utc);
    formatter_ = by_pattern_->formatter();
  }

  void write(const SinkRecord& record) override {
    if (record.row->verb == trace::Verb::process) [[unlikely]] {
      trace::LineBuffer made;
      append(record, made);
      file_.set_head(std::string{made.text()});
    }
    file_.add([&](trace::LineBuffer& out) { append(record, out); });
  }

  void flush() override { file_.flush(); }
  void reopen() noexcept override { file_.reopen(); }
  bool wants_transitions() const override { return transitions_; }
  bool wants_definitions() const override { return true; }

 private:
  void append(const SinkRecord& record, trace::LineBuffer& out) {
    if (is_default_) return lines_.append(record, out);
    by_pattern_->with_message(record, [&](const auto& message) {
      spdlog::memory_buf_t made;
      formatter_->format(message, made);
      out.put(std::string_view{made.data(), made.size()});
    });
  }

  File file_;
  const bool is_default_;
  const bool transitions_;
  trace::TextLines lines_;
  std::unique_ptr<Lines> by_pattern_;
  std::unique_ptr<spdlog::formatter> formatter_;
};

}  // namespace

std::shared_ptr<Sink> console(const std::string& pattern) {
  return std::make_shared<TextSink>(std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), pattern, Tell::messages,
                                    spdlog::pattern_time_type::local);
}

std::shared_ptr<Sink> text(std::shared_ptr<spdlog::sinks::sink> target, const std::string& pattern, Tell tell) {
  return std::make_shared<TextSink>(std::move(target), pattern, tell, spdlog::pattern_time_type::utc);
}

std::shared_ptr<FileSink> text_file(const std::filesystem::path& path, const std::string& pattern,
                                    const FileOptions& options) {
  return std::make_shared<TextFileSink>(path, pattern, options);
}

}  // namespace spool::sinks
