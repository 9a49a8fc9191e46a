// SPDX-License-Identifier: MIT
// The program logs through Boost.Log already. One line opens the door: its calls stay as they are, and their messages
// stand beside the threads' transitions, each in the stream of the thread that made it.
//
// Output:
//   [info] (listener) listening on 8080
//   [warning] (worker) no such key: color
#include <spool/sinks/from_boost_log.hpp>
#include <spool/spool.hpp>

#include <boost/log/core/core.hpp>
#include <boost/log/sources/severity_channel_logger.hpp>
#include <boost/log/trivial.hpp>

namespace logging = boost::log;
using Severity = logging::trivial::severity_level;

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("[%l] (%N) %v")}});
  logging::core::get()->add_sink(spool::sinks::from_boost_log());

  spool::Thread listener{{.name = "listener"}, [] { BOOST_LOG_TRIVIAL(info) << "listening on " << 8080; }};
  listener.start();
  listener.join();

  spool::Thread worker{
      {.name = "worker"}, [] {
        logging::sources::severity_channel_logger<Severity> store{logging::keywords::channel = "store"};
        BOOST_LOG_SEV(store, Severity::warning) << "no such key: "
                                                << "color";
      }};
  worker.start();
  worker.join();
}
