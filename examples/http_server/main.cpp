// SPDX-License-Identifier: MIT
//
// A small key-value server over HTTP, as an example of a program that uses spool: its workers are spool::Threads, what
// they share is behind spool::Locks, and with SPOOL_DIR set all of it is in a trace.
//
//   $ SPOOL_DIR=/tmp/traces http_server --port 8080 --threads 32
//   listening on 127.0.0.1:8080
//   $ unspool /tmp/traces
//
// Ends in order at SIGTERM or SIGINT: no connection is accepted any more, answers under way are sent, all threads are
// joined, the trace is closed.
#include "routes.hpp"
#include "worker_pool.hpp"

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <limits>
#include <optional>
#include <string_view>
#include <thread>

namespace {

struct Options {
  int port = 8080;  ///< 0: any that is free
  int threads = 32;
};

std::optional<int> number_up_to(int most, std::string_view text) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const bool good = error == std::errc{} && rest == end && number >= 0 && number <= most;
  return good ? std::optional{number} : std::nullopt;
}

std::optional<Options> parse(int count, char** words) {
  constexpr int most_threads = 1000;
  Options options;
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = words[i];
    const bool is_port = name == "--port";
    if ((!is_port && name != "--threads") || i + 1 == count) return std::nullopt;
    const auto number = number_up_to(is_port ? std::numeric_limits<std::uint16_t>::max() : most_threads, words[i + 1]);
    if (!number || (!is_port && *number == 0)) return std::nullopt;
    (is_port ? options.port : options.threads) = *number;
  }
  return options;
}

/// Blocks the signals that end the server, in every thread started from now on; the one that calls sigwait gets them.
/// So no signal handler runs, where hardly anything would be allowed.
sigset_t block_end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
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

}  // namespace

int main(int count, char** words) {
  auto options = parse(count, words);
  if (!options) {
    std::fputs("usage: http_server [--port N] [--threads N]\n", stderr);
    return 2;
  }
  const sigset_t signals = block_end_signals();

  constexpr std::size_t samples = 10'000;
  http_server::Store store{samples};
  http_server::Statistics statistics;
  httplib::Server server;
  configure(server, options->threads);
  add_routes(server, store, statistics);
  if (!bind(server, options->port)) {
    std::fprintf(stderr, "http_server: port %d cannot be had; --port 0 takes one that is free\n", options->port);
    return 1;
  }

  spool::Thread listener{{.name = "listener"}, [&] { server.listen_after_bind(); }};
  listener.start();
  std::printf("listening on 127.0.0.1:%d\n", options->port);
  std::fflush(stdout);

  int signal = 0;
  sigwait(&signals, &signal);
  spool::info("signal {}: the server ends", signal);
  stop(server, listener);
  listener.join();
  spool::info("the server has ended");
}
