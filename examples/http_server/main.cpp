// SPDX-License-Identifier: MIT
//
// A small key-value server over HTTP, as an example of a program that uses spool: its workers are spool::Threads, what
// they share is behind spool::Locks, and with SPOOL_DIR set all of it is in a trace.
//
//   $ SPOOL_DIR=/tmp/traces http_server --port 8080 --threads 32
//   listening on 127.0.0.1:8080
//   $ unspool /tmp/traces
//
// POST /save writes all values to the file of --save-to. --json-log FILE and --text-log FILE have the same in log
// files, which unspool reads as well.
//
// Ends in order at SIGTERM or SIGINT: no connection is accepted any more, answers under way are sent, all threads are
// joined, the trace is closed. SIGHUP opens the log files anew, for logrotate.
#include "routes.hpp"
#include "worker_pool.hpp"

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

namespace {

struct Options {
  int port = 8080;  ///< 0: any that is free
  int threads = 32;
  std::string json_log;  ///< files; empty: none
  std::string text_log;
  std::string save_to;  ///< where POST /save writes all values; empty: nowhere
};

std::optional<int> number_up_to(int most, std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const bool good = error == std::errc{} && rest == end && number >= 0 && number <= most;
  return good ? std::optional{number} : std::nullopt;
}

bool take(Options& options, std::string_view name, const char* value) {
  constexpr int most_threads = 1000;
  if (name == "--json-log") {
    options.json_log = value;
  } else if (name == "--text-log") {
    options.text_log = value;
  } else if (name == "--save-to") {
    options.save_to = value;
  } else if (name == "--port") {
    const auto port = number_up_to(std::numeric_limits<std::uint16_t>::max(), value);
    options.port = port.value_or(0);
    return port.has_value();
  } else if (name == "--threads") {
    options.threads = number_up_to(most_threads, value).value_or(0);
    return options.threads != 0;
  } else {
    return false;
  }
  return true;
}

std::optional<Options> parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; i += 2) {
    if (i + 1 == count || !take(options, words[i], words[i + 1])) return std::nullopt;
  }
  return options;
}

using Logs = std::vector<std::shared_ptr<spool::sinks::FileSink>>;

/// The log files asked for. Without any, spool does what the environment says, and nothing else.
Logs open_logs(const Options& options) {
  Logs logs;
  if (!options.json_log.empty()) logs.push_back(spool::sinks::json_lines(options.json_log));
  if (!options.text_log.empty()) logs.push_back(spool::sinks::text_file(options.text_log));
  if (!logs.empty()) spool::basic_config({.sinks = {logs.begin(), logs.end()}});
  return logs;
}

/// Blocks the signals that are meant for the server, in every thread started from now on; the one that calls sigwait
/// gets them. So no signal handler runs, where hardly anything would be allowed.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

void configure(httplib::Server& server, int threads) {
  server.new_task_queue = [threads] { return new http_server::WorkerPool{static_cast<std::size_t>(threads)}; };
  // An answer is two writes; without this the second one waits 40 ms for the client's acknowledgement of the first.
  server.set_tcp_nodelay(true);
  server.set_keep_alive_max_count(std::numeric_limits<int>::max());
  // Also how long an idle connection can hold up the end.
  server.set_keep_alive_timeout(1);
}

bool bind(httplib::Server& server, int& port) {
  constexpr const char* address = "127.0.0.1";
  if (port != 0) return server.bind_to_port(address, port);
  port = server.bind_to_any_port(address);
  return port > 0;
}

/// httplib ignores a stop that comes before it listens.
void stop(httplib::Server& server, const spool::Thread& listener) {
  while (!server.is_running() && listener.is_alive())
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  server.stop();
}

/// The signal that ends the server.
int await_end(const sigset_t& signals, const Logs& logs) {
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) {
    for (const auto& log : logs)
      log->reopen();
  }
  return signal;
}

int serve(const Options& options) {
  const sigset_t signals = block_signals();
  const Logs logs = open_logs(options);

  constexpr std::size_t samples = 10'000;
  http_server::Store store{samples};
  http_server::Statistics statistics;
  httplib::Server server;
  configure(server, options.threads);
  add_routes(server, store, statistics, options.save_to);
  int port = options.port;
  if (!bind(server, port)) {
    std::fprintf(stderr, "http_server: port %d cannot be had; --port 0 takes one that is free\n", port);
    return 1;
  }

  spool::Thread listener{{.name = "listener"}, [&] { server.listen_after_bind(); }};
  listener.start();
  std::printf("listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);

  const int signal = await_end(signals, logs);
  spool::info("signal {}: the server ends", signal);
  stop(server, listener);
  listener.join();
  spool::info("the server has ended");
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const auto options = parse(count, words);
  if (!options) {
    std::fputs("usage: http_server [--port N] [--threads N] [--save-to FILE] [--json-log FILE] [--text-log FILE]\n",
               stderr);
    return 2;
  }
  try {
    return serve(*options);
  } catch (const std::system_error& problem) {  // a log that cannot be opened
    std::fprintf(stderr, "http_server: %s\n", problem.what());
    return 1;
  }
}
