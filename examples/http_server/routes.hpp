// SPDX-License-Identifier: MIT
//
// What the server answers. Owns the paths; the data are Store's and Statistics'.
//
//   GET  /get?key=K             the value, or 404
//   POST /set?key=K             stores the body
//   GET  /report                figures over all values
//   GET  /statistics            how often each of these was asked for
#pragma once

#include "statistics.hpp"
#include "store.hpp"

namespace httplib {
class Server;
}

namespace http_server {

/// Both have to outlive the server.
void add_routes(httplib::Server& server, Store& store, Statistics& statistics);

}  // namespace http_server
