// SPDX-License-Identifier: MIT
#include <spool/sinks/text.hpp>
#include <spool/trace/message.hpp>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <chrono>

namespace spool::sinks {
namespace {

/// The Record being written, for the flags that spdlog's message has no room for. The dispatcher alone writes.
struct Current {
  std::string thread_name;
  std::string number;
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
    const std::string line = std::string(before, ' ').append(text).append(spaces - before, ' ');
    out.append(line.data(), line.data() + line.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Flag>(current_, pick_); }

 private:
  std::shared_ptr<const Current> current_;
  Pick pick_;
};

class TextSink final : public Sink {
 public:
  TextSink(std::shared_ptr<spdlog::sinks::sink> target, const std::string& pattern) : target_{std::move(target)} {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Flag>('N', current_, [](const Current& now) -> std::string_view { return now.thread_name; });
    formatter->add_flag<Flag>('K', current_, [](const Current& now) -> std::string_view { return now.number; });
    formatter->add_flag<Flag>('Q', current_,
                              [](const Current& now) -> std::string_view { return now.daemon ? "daemon" : ""; });
    formatter->set_pattern(pattern);
    target_->set_formatter(std::move(formatter));
  }

  void write(const SinkRecord& record) override {
    current_->thread_name = trace::escaped(record.thread_name);
    current_->number = std::to_string(record.thread);
    current_->daemon = record.daemon;
    const std::string text = trace::escaped(record.text);
    const std::string file{record.file};
    const std::string function{record.function};
    const std::string logger = trace::escaped(record.logger);
    const spdlog::source_loc place{file.empty() ? nullptr : file.c_str(), static_cast<int>(record.line),
                                   function.c_str()};
    const spdlog::log_clock::time_point time{std::chrono::nanoseconds{record.time}};
    spdlog::details::log_msg message{time, place, logger, level_of(record.level), text};
    message.thread_id = record.native_id;
    target_->log(message);
  }

  void flush() override { target_->flush(); }

 private:
  static spdlog::level::level_enum level_of(trace::Level level) {
    return static_cast<spdlog::level::level_enum>(level);  // the same order in both
  }

  std::shared_ptr<Current> current_ = std::make_shared<Current>();
  std::shared_ptr<spdlog::sinks::sink> target_;
};

}  // namespace

std::shared_ptr<Sink> console(const std::string& pattern) {
  return text(std::make_shared<spdlog::sinks::stderr_color_sink_mt>(), pattern);
}

std::shared_ptr<Sink> text(std::shared_ptr<spdlog::sinks::sink> target, const std::string& pattern) {
  return std::make_shared<TextSink>(std::move(target), pattern);
}

}  // namespace spool::sinks
