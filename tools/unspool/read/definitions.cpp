// SPDX-License-Identifier: MIT
#include <spool/trace/message.hpp>

#include <fmt/format.h>
#include <unspool/read/cursor.hpp>
#include <unspool/read/definitions.hpp>
#include <unspool/read/modes.hpp>

#include <cmath>

namespace unspool {
namespace {

using Values = std::vector<trace::Value>;

std::uint64_t number(const Values& values, std::size_t index) {
  const auto* value = std::get_if<std::uint64_t>(&values[index]);
  return value ? *value : 0;
}

std::uint32_t small(const Values& values, std::size_t index) {
  return static_cast<std::uint32_t>(number(values, index));
}

std::string text(const Values& values, std::size_t index) {
  const auto* value = std::get_if<std::string_view>(&values[index]);
  return value ? std::string{*value} : std::string{};
}

class Definitions {
 public:
  explicit Definitions(Process& process) : process_(process) {}

  void add(const Record& record) {
    // The table's fields are a prefix of the file's, and these were seen to fit: there are values for all.
    const auto values = trace::read_values(record.row->fields(), record.bytes);
    if (!values) return;
    switch (record.row->verb) {
      case trace::Verb::thread:
        return add_thread(record, *values);
      case trace::Verb::object:
        return add_object(record, *values);
      case trace::Verb::site:
        return add_site(*values);
      case trace::Verb::frame:
        return add_frame(*values);
      case trace::Verb::stack:
        process_.stacks[small(*values, 0)] = {small(*values, 1), small(*values, 2)};
        return;
      case trace::Verb::clock:
        return add_clock(record, *values);
      case trace::Verb::mode:
        return modes_.mode(record.object, number(*values, 0));
      case trace::Verb::wait:
        return modes_.long_wait(number(*values, 0));
      case trace::Verb::cost:
        return add_cost(record, *values);
      default:
        return;
    }
  }

 private:
  void add_thread(const Record& record, const Values& values) {
    auto& thread = process_.threads[static_cast<trace::ThreadNumber>(record.object)];
    thread.native_id = small(values, 0);
    thread.creator = small(values, 1);
    thread.daemon = number(values, 2) != 0;
    thread.origin = static_cast<trace::Origin>(number(values, 3));
    thread.name = text(values, 4);
  }

  void add_object(const Record& record, const Values& values) {
    auto& object = process_.objects[record.object];
    object.site = small(values, 0);
    const std::uint64_t kind = number(values, 1);
    object.kind = kind < trace::kind_count ? static_cast<trace::Kind>(kind) : trace::Kind::trace;
    object.parent = number(values, 2);
    object.name = text(values, 3);
  }

  void add_site(const Values& values) {
    auto& site = process_.sites[small(values, 0)];
    site.line = small(values, 1);
    site.file = text(values, 2);
    site.function = text(values, 3);
  }

  void add_frame(const Values& values) {
    process_.frames[small(values, 0)].define(small(values, 1), text(values, 4), number(values, 3),
                                             {text(values, 5), text(values, 6), small(values, 2)});
  }

  void add_clock(const Record& record, const Values& values) {
    process_.clocks.push_back(
        {record.time, number(values, 0), number(values, 1), number(values, 2), number(values, 3)});
  }

  void add_cost(const Record& record, const Values& values) {
    if (process_.cost && process_.cost->time > record.time) return;
    process_.cost = {record.time,       number(values, 0), number(values, 1), number(values, 2), number(values, 3),
                     number(values, 4), number(values, 5), number(values, 6), number(values, 7)};
  }

  Process& process_;
  ModeReader modes_{process_};
};

bool is_sane(std::uint64_t frequency) {
  return frequency >= 1'000 && frequency <= 100'000'000'000;
}

/// Ticks a second over all readings, without what lies between two that do not go with each other: there the machine
/// slept, or the counter was set. 0 where that is too little to tell.
double measured(const std::vector<ClockReading>& readings, std::uint64_t about) {
  constexpr double second = 1e9;
  constexpr double most_astray = 1e6;  // ns, of a reading that something came between
  double ticks = 0;
  double passed = 0;
  for (std::size_t i = 1; i < readings.size(); ++i) {
    const ClockReading& last = readings[i - 1];
    const ClockReading& next = readings[i];
    if (next.ticks <= last.ticks || next.monotonic <= last.monotonic) continue;
    const auto by_ticks = static_cast<double>(next.ticks - last.ticks);
    const auto by_clock = static_cast<double>(next.monotonic - last.monotonic);
    const double astray = std::abs(by_ticks * second / static_cast<double>(about) - by_clock);
    if (astray > most_astray + 0.05 * by_clock) continue;
    ticks += by_ticks;
    passed += by_clock;
  }
  return passed < second ? 0 : ticks * second / passed;
}

/// The frequency over the whole trace is better than the one that was measured at its start.
void settle_frequency(Process& process) {
  if (!process.clocks.empty() && is_sane(process.clocks.back().frequency)) {
    process.frequency = process.clocks.back().frequency;
  }
  if (!is_sane(process.frequency)) process.frequency = 1'000'000'000;
  const double over_all = measured(process.clocks, process.frequency);
  const double ratio = over_all / static_cast<double>(process.frequency);
  if (std::abs(ratio - 1) < 0.05) process.frequency = static_cast<std::uint64_t>(std::llround(over_all));
}

}  // namespace

void read_definitions(Trace& trace) {
  Definitions definitions{trace.process()};
  Record record;
  for (const Packet& packet : trace.packets()) {
    if (packet.stream != trace::definition_stream) continue;
    Cursor cursor{trace, packet};
    while (cursor.next(record))
      definitions.add(record);
  }
  settle_frequency(trace.process());
}

}  // namespace unspool
