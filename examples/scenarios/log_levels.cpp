// SPDX-License-Identifier: MIT
// Named loggers with levels of their own; a dot makes a child, which has its parent's level until it gets one.
//
// Output:
//   [info] listening
//   [warning] client: slow: 12ms
//   [debug] parsed 3 headers
//   [debug] client: again after 2 tries
//   [error] gave up on /index
#include <spool/spool.hpp>

int main() {
  using namespace std::chrono_literals;
  spool::basic_config({.level = spool::Level::info,
                       .levels = {{"http.client", spool::Level::warning}},
                       .sinks = {spool::sinks::console("[%l] %v")}});
  spool::Logger http{"http"};
  spool::Logger client{"http.client"};

  http.info("listening");
  http.debug("not shown: http follows the general level, info");
  client.info("not shown: http.client has a level of its own, warning");
  client.warning("client: slow: {took}", spool::arg<"took">(12ms));

  http.set_level(spool::Level::debug);
  http.debug("parsed {} headers", 3);
  client.reset_level();  // from now on it follows http
  client.debug("client: again after {tries} tries", spool::arg<"tries">(2));

  spool::set_level("http", spool::Level::off);
  http.critical("not shown");
  spool::error("gave up on {path}", spool::arg<"path">("/index"));
}
