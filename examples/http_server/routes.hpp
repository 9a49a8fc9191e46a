// SPDX-License-Identifier: MIT
//
// What the server answers. Owns the paths; the data are Store's and Statistics'.
//
//   GET  /get?key=K             the value, or 404
//   POST /set?key=K             stores the body
//   GET  /report                figures over all values
//   POST /save                  all values into the file of --save-to; 404 where none was given
//   GET  /statistics            how often each of these was asked for
#pragma once

#include "statistics.hpp"
#include "store.hpp"

#include <string>

namespace httplib {
class Server;
}

namespace http_server {

/// All have to outlive the server.
void add_routes(httplib::Server& server, Store& store, Statistics& statistics, const std::string& save_to);

}  // namespace http_server
