// SPDX-License-Identifier: MIT
#include <spool/log/dispatcher.hpp>
#include <spool/sinks/door.hpp>
#include <spool/sinks/from_boost_log.hpp>

#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/attributes/value_visitation.hpp>
#include <boost/log/core/record_view.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/unlocked_frontend.hpp>
#include <boost/log/trivial.hpp>
#include <boost/smart_ptr/make_shared_object.hpp>

#include <algorithm>
#include <string>

namespace spool::sinks {
namespace {

namespace logging = boost::log;

/// Immortal: static destructors may log.
struct Known {
  KnownLoggers loggers;
  KeptTexts texts;
};
Known& known() {
  static auto* all = new Known;
  return *all;
}

const std::string& text_in(const logging::record_view& record, const char* name) {
  static const std::string none;
  const auto found = logging::extract<std::string>(name, record);
  return found ? found.get() : none;
}

trace::Level level_of(const logging::record_view& record) {
  constexpr int last = static_cast<int>(trace::Level::critical);
  // The levels are in the same order in both.
  int level = static_cast<int>(trace::Level::info);
  if (const auto trivial = logging::extract<logging::trivial::severity_level>("Severity", record))
    level = trivial.get();
  if (const auto number = logging::extract<int>("Severity", record)) level = number.get();
  return static_cast<trace::Level>(std::clamp(level, 0, last));
}

Site place_of(const logging::record_view& record) {
  const std::string& file = text_in(record, "File");
  const char* const kept = file.empty() ? nullptr : known().texts.keep(file);
  if (kept == nullptr) return {};
  std::uint32_t line = 0;
  if (const auto number = logging::extract<int>("Line", record)) line = static_cast<std::uint32_t>(number.get());
  if (const auto number = logging::extract<unsigned>("Line", record)) line = number.get();
  const char* const function = known().texts.keep(text_in(record, "Function"));
  return {kept, function == nullptr ? "" : function, line};
}

class Door final
    : public logging::sinks::basic_sink_backend<
          logging::sinks::combine_requirements<logging::sinks::concurrent_feeding, logging::sinks::flushing>::type> {
 public:
  void consume(const logging::record_view& record) {
    write_foreign(known().loggers.named(text_in(record, "Channel")), level_of(record), place_of(record),
                  text_in(record, "Message"));
  }
  void flush() { log::Dispatcher::flush(); }
};

}  // namespace

boost::shared_ptr<logging::sinks::sink> from_boost_log() {
  return boost::make_shared<logging::sinks::unlocked_sink<Door>>();
}

}  // namespace spool::sinks
