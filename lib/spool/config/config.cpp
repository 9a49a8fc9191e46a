// SPDX-License-Identifier: MIT
#include <spool/config/config.hpp>
#include <spool/config/environment.hpp>
#include <spool/log/dispatcher.hpp>
#include <spool/log/ending.hpp>
#include <spool/log/fork.hpp>
#include <spool/log/logger.hpp>
#include <spool/log/recorder.hpp>
#include <spool/sinks/text.hpp>
#include <spool/thread/shutdown.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <system_error>
#include <utility>

namespace spool {
namespace {

constexpr std::uint64_t keep_in_memory = std::uint64_t{32} << 20U;

struct State {
  State() { log::guard_across_fork(mutex, log::ForkOrder::outermost); }
  std::mutex mutex;
  bool configured = false;  ///< by a call
  bool by_environment = false;
};

State& configuration() {
  static auto* made = new State;  // leaked: shutdown may come from a static destructor
  return *made;
}

/// What `config` says, overridden by what the environment says.
Config overridden(Config config, const config::Environment& environment) {
  if (environment.directory) config.directory = *environment.directory;
  config.keep = environment.keep.value_or(config.keep);
  config.level = environment.level.value_or(config.level);
  for (const auto& [logger, level] : environment.levels)
    config.levels.insert_or_assign(logger, level);
  config.transitions = environment.transitions.value_or(config.transitions);
  config.long_wait = environment.long_wait.value_or(config.long_wait);
  config.sync = environment.sync.value_or(config.sync);
  config.archive = environment.archive.value_or(config.archive);
  config.dump_on = environment.dump_on.value_or(config.dump_on);
  config.call_stacks = environment.call_stacks.value_or(config.call_stacks);
  config.survive_truncation = environment.survive_truncation.value_or(config.survive_truncation);
  if (environment.watchdog) {
    config.watchdog.patience = environment.watchdog->patience;
    config.watchdog.every_wait = environment.watchdog->every_wait;
    config.watchdog.abort = environment.watchdog->abort;
  }
  return config;
}

bool watches(const Config& config) {
  return config.watchdog.patience > std::chrono::nanoseconds::zero() || config.dump_on != 0;
}

/// Without a trace transitions are worth recording only for a sink that wants them, and for whoever asks what threads
/// do.
Mode mode_for(const Config& config) {
  const bool wanted = std::ranges::any_of(config.sinks, [](const auto& sink) { return sink->wants_transitions(); });
  return config.directory.empty() && !wanted && !watches(config) ? Mode::off : config.transitions;
}

bool start_recorder(const Config& config, const config::Environment& environment) {
  log::RecorderSettings settings;
  settings.parent = config.directory;
  settings.keep = config.directory.empty() ? keep_in_memory : config.keep;
  settings.archive = config.archive;
  settings.on_segment = config.on_segment;
  settings.sync = config.sync;
  settings.clock = environment.clock.value_or(os::ClockChoice::automatic);
  settings.call_stacks = config.call_stacks;
  settings.survive_truncation = config.survive_truncation;
  settings.mode = mode_for(config);
  log::set_long_wait(config.long_wait);
  log::Guard::begin(config.watchdog);
  return log::Recorder::instance().start(settings);
}

void take_signal(const Config& config) {
  if (config.dump_on == 0 || log::Guard::dump_on(config.dump_on)) return;
  throw std::system_error{errno, std::generic_category(),
                          fmt::format("spool: signal {} cannot be had for dump_on", config.dump_on)};
}

void set_levels(const Config& config) {
  log::set_level(config.level);
  for (const auto& [logger, level] : config.levels)
    log::set_level(logger, level);
}

void tell(const std::string& problem) {
  std::fputs(fmt::format("spool: {}\n", problem).c_str(), stderr);
}

}  // namespace

bool basic_config(Config config) {
  State& state = configuration();
  const std::lock_guard guard{state.mutex};
  if (state.configured) return false;
  const config::Environment environment = config::read_environment();
  config = overridden(std::move(config), environment);
  bool started = start_recorder(config, environment);
  if (!started && environment.directory) {
    // An operator's mistake, told at start-up, is no reason to keep the server from running.
    config.directory.clear();
    started = start_recorder(config, environment);
  }
  if (!started) {
    throw std::system_error{errno, std::generic_category(),
                            fmt::format("spool: no trace can be written to {}", config.directory.string())};
  }
  if (config.directory.empty() && config.sinks.empty()) config.sinks.push_back(sinks::console());
  state.configured = true;
  take_signal(config);
  set_levels(config);
  log::set_mode(mode_for(config));
  if (!config.sinks.empty()) log::Dispatcher::start(std::move(config.sinks), config.immediate);
  return true;
}

void set_transitions(Mode mode) {
  log::set_mode(mode);
}
Mode transitions() {
  return log::current_mode();
}
void set_long_wait(std::chrono::nanoseconds span) {
  log::set_long_wait(span);
}
void set_level(Level level) {
  log::set_level(level);
}
void set_level(std::string_view logger, Level level) {
  log::set_level(logger, level);
}
std::filesystem::path trace_directory() {
  return log::Recorder::instance().directory();
}
bool flush() {
  return log::Dispatcher::flush();
}

void shutdown() {
  thread::join_all();
  log::end_recording();
}

namespace config {

bool apply_environment() noexcept {
  try {
    State& state = configuration();
    const std::lock_guard guard{state.mutex};
    if (std::exchange(state.by_environment, true)) return false;
    const Environment environment = read_environment();
    for (const std::string& problem : environment.problems)
      tell(problem);
    if (environment.level) log::set_level(*environment.level);
    for (const auto& [logger, level] : environment.levels)
      log::set_level(logger, level);
    if (!environment.directory) return false;
    const Config wanted = overridden({}, environment);
    if (!start_recorder(wanted, environment)) {
      tell(fmt::format("no trace can be written to SPOOL_DIR={}: {}; the program runs on without one",
                       *environment.directory,
                       std::strerror(errno)));  // NOLINT(concurrency-mt-unsafe): before main
      return false;
    }
    take_signal(wanted);
    set_levels(wanted);
    log::set_mode(wanted.transitions);
    return true;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "spool: the environment could not be applied: %s\n", problem.what());
    return false;
  }
}

namespace {

/// After every destructor of a static: the last moment of the program.
[[gnu::destructor]] void at_unload() {
  log::end_recording();
}

}  // namespace
}  // namespace config

}  // namespace spool
