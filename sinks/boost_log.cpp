// SPDX-License-Identifier: MIT
#include <spool/log/dispatcher.hpp>
#include <spool/sinks/boost_log.hpp>

#include <boost/date_time/gregorian/conversion.hpp>
#include <boost/date_time/gregorian/gregorian_types.hpp>
#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/log/attributes/attribute_name.hpp>
#include <boost/log/attributes/attribute_value_impl.hpp>
#include <boost/log/attributes/attribute_value_set.hpp>
#include <boost/log/core/core.hpp>
#include <boost/log/core/record.hpp>
#include <boost/log/trivial.hpp>

#include <cstdlib>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

namespace spool::sinks {
namespace {

namespace logging = boost::log;
using trace::Effect;
using Severity = logging::trivial::severity_level;

constexpr std::uint64_t second = 1'000'000'000;

boost::posix_time::ptime local_time(std::uint64_t time) {
  const auto seconds = static_cast<std::time_t>(time / second);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return boost::posix_time::ptime{boost::gregorian::date_from_tm(parts),
                                  boost::posix_time::time_duration{parts.tm_hour, parts.tm_min, parts.tm_sec} +
                                      boost::posix_time::microseconds{static_cast<long>(time % second / 1000)}};
}

/// The attributes of one Record. What is added first under a name stays.
class Attributes {
 public:
  template <class T>
  void add(const char* name, T value) {
    values_.insert(name, logging::attributes::make_attribute_value(std::move(value)));
  }
  void add_text(const char* name, std::string_view text) { add(name, std::string{text}); }
  void add_field(const std::string& name, const trace::Value& value) {
    const auto add_as = [&](const auto& each) {
      if constexpr (std::is_same_v<std::decay_t<decltype(each)>, std::string_view>)
        add(name.c_str(), std::string{each});
      else
        add(name.c_str(), each);
    };
    std::visit(add_as, value);
  }
  logging::attribute_value_set&& take() { return std::move(values_); }

 private:
  logging::attribute_value_set values_;
};

/// How long each thread has waited, from its first block on.
class Waits {
 public:
  std::optional<std::int64_t> ended_by(const SinkRecord& record) {
    const Effect effect = record.row->effect;
    if (effect == Effect::wait) begun_.try_emplace(record.thread, Wait{record.object, record.time});
    if (effect == Effect::wait || effect == Effect::none || effect == Effect::release) return {};
    const auto found = begun_.find(record.thread);
    if (found == begun_.end() || found->second.object != record.object) return {};
    const auto waited = static_cast<std::int64_t>(record.time - found->second.since);
    begun_.erase(found);
    return waited;
  }
  void forget(trace::ThreadNumber thread) { begun_.erase(thread); }

 private:
  struct Wait {
    trace::ObjectNumber object;
    std::uint64_t since;
  };
  std::unordered_map<trace::ThreadNumber, Wait> begun_;
};

/// Boost.Log ends with the destructors of its statics. Before they run, everything is delivered, and then no more.
class Curtain {
 public:
  /// Nothing is called any more once the curtain has fallen.
  template <class Call>
  static void while_open(Call call) {
    const std::lock_guard guard{state().mutex};
    if (state().open) call();
  }

  /// Exit hooks run in the reverse order of what was made before them: of Boost's statics.
  static void hang() {
    (void)logging::core::get();
    (void)logging::attribute_name{"Message"};
    static const int hung = std::atexit([] {
      log::Dispatcher::flush();
      const std::lock_guard guard{state().mutex};
      state().open = false;
    });
    (void)hung;
  }

 private:
  struct State {
    std::mutex mutex;
    bool open = true;
  };
  static State& state() {
    static auto* one = new State;  // leaked: the thread that feeds the sink ends later
    return *one;
  }
};

class BoostLogSink final : public Sink {
 public:
  explicit BoostLogSink(BoostLogOptions options) : options_{options} { Curtain::hang(); }

  bool wants_transitions() const override { return options_.transitions; }

  /// Their names are in each Record.
  bool wants_definitions() const override { return false; }

  void write(const SinkRecord& record) override {
    Curtain::while_open([&] { push(record); });
  }

  void flush() override {
    Curtain::while_open([] { logging::core::get()->flush(); });
  }

 private:
  void push(const SinkRecord& record) {
    Attributes attributes;
    if (record.row->kind == trace::Kind::message) {
      add_message(record, attributes);
    } else {
      add_transition(record, attributes);
    }
    add_origin(record, attributes);
    for (const trace::NamedField& field : record.fields) {
      const std::string name{field.name};
      attributes.add_field(name, field.value);
      if (!field.stands_for.empty()) attributes.add_text((name + "_name").c_str(), field.stands_for);
    }
    const auto core = logging::core::get();
    if (logging::record made = core->open_record(attributes.take())) core->push_record(std::move(made));
  }

  static void add_message(const SinkRecord& record, Attributes& attributes) {
    attributes.add_text("Message", record.text);
    // The levels are in the same order in both.
    attributes.add("Severity", static_cast<Severity>(record.level));
    if (!record.logger.empty()) attributes.add_text("Channel", record.logger);
  }

  void add_transition(const SinkRecord& record, Attributes& attributes) {
    attributes.add("Message", std::string{record.row->name}.append(" ").append(record.object_name));
    attributes.add("Severity", Severity::trace);
    attributes.add_text("Transition", record.row->name);
    attributes.add_text("Object", record.object_name);
    attributes.add_text("ObjectKind", trace::name_of(record.object_kind));
    attributes.add("ObjectID", std::uint64_t{record.object});
    attributes.add("Sequence", std::uint64_t{record.seq});
    if (const auto waited = waits_.ended_by(record)) attributes.add("Wait", *waited);
    if (record.row->kind == trace::Kind::thread && record.row->verb == trace::Verb::end) waits_.forget(record.thread);
  }

  static void add_origin(const SinkRecord& record, Attributes& attributes) {
    attributes.add("TimeStamp", local_time(record.time));
    attributes.add_text("ThreadName", record.thread_name);
    attributes.add("ThreadID", record.thread);
    attributes.add("NativeThreadID", record.native_id);
    attributes.add("ProcessID", record.pid);
    attributes.add("Daemon", record.daemon);
    if (record.file.empty()) return;
    attributes.add_text("File", record.file);
    attributes.add_text("Function", record.function);
    attributes.add("Line", record.line);
  }

  BoostLogOptions options_;
  Waits waits_;
};

}  // namespace

std::shared_ptr<Sink> boost_log(BoostLogOptions options) {
  return std::make_shared<BoostLogSink>(options);
}

}  // namespace spool::sinks
