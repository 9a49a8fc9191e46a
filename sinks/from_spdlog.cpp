// SPDX-License-Identifier: MIT
#include <spool/log/dispatcher.hpp>
#include <spool/sinks/door.hpp>
#include <spool/sinks/from_spdlog.hpp>

#include <spdlog/sinks/sink.h>

namespace spool::sinks {
namespace {

KnownLoggers& loggers() {
  static auto* known = new KnownLoggers;  // leaked: static destructors may log
  return *known;
}

class Door final : public spdlog::sinks::sink {
 public:
  void log(const spdlog::details::log_msg& message) override {
    const std::string_view name{message.logger_name.data(), message.logger_name.size()};
    // The levels are in the same order in both.
    write_foreign(loggers().named(name), static_cast<trace::Level>(message.level), place_of(message.source),
                  {message.payload.data(), message.payload.size()});
  }

  void flush() override { log::Dispatcher::flush(); }

  // The text goes out as it is; how it looks is decided where it is shown.
  void set_pattern(const std::string& /*pattern*/) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter> /*formatter*/) override {}

 private:
  static Site place_of(const spdlog::source_loc& source) {
    if (source.empty() || source.filename == nullptr) return {};
    return {source.filename, source.funcname == nullptr ? "" : source.funcname,
            static_cast<std::uint32_t>(source.line)};
  }
};

}  // namespace

std::shared_ptr<spdlog::sinks::sink> from_spdlog() {
  return std::make_shared<Door>();
}

}  // namespace spool::sinks
