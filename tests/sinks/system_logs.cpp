// SPDX-License-Identifier: MIT
//
// Logs to syslog and to the journal, through spdlog's sinks. The script beside it reads what arrives.
#include <spool/sinks/text.hpp>
#include <spool/spool.hpp>

#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/sinks/systemd_sink.h>

int main() {
  const std::string pattern = "(%N) %v";
  spool::basic_config({
      .sinks = {spool::sinks::text(std::make_shared<spdlog::sinks::syslog_sink_mt>("kvserver", 0, LOG_USER, true),
                                   pattern),
                spool::sinks::text(std::make_shared<spdlog::sinks::systemd_sink_mt>("kvserver", true), pattern)},
  });
  const spool::Logger http{"http"};
  spool::Thread worker{spool::ThreadOptions{.name = "worker-1\n<0>forged"}, [&] {
                         http.info("served {} in {} ms", "/a\nb", 3);
                         http.error("no answer");
                       }};
  worker.start();
  worker.join();
  return 0;
}
