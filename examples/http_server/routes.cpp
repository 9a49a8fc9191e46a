// SPDX-License-Identifier: MIT
#include "routes.hpp"

#include <chrono>

#include <httplib.h>

namespace http_server {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* plain = "text/plain";

void get(const Store& store, const Request& request, Response& response) {
  const auto value = store.get(request.get_param_value("key"));
  response.status = value ? 200 : 404;
  response.set_content(value.value_or("no such key\n"), plain);
}

void set(Store& store, const Request& request, Response& response) {
  store.set(request.get_param_value("key"), request.body);
  response.set_content("stored\n", plain);
}

void report(const Store& store, Response& response) {
  const auto begin = std::chrono::steady_clock::now();
  const Store::Report report = store.report();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  // A message of spool stands in the same trace as the locks, at its place in time.
  spool::info("report over {} values took {} us", report.values, took.count());
  std::string text = std::to_string(report.values) + " values, " + std::to_string(report.bytes) + " bytes\n";
  for (std::size_t byte = 0; byte < report.frequency.size(); ++byte) {
    if (report.frequency[byte] == 0) continue;
    text += std::to_string(byte) + " " + std::to_string(report.frequency[byte]) + "\n";
  }
  response.set_content(text, plain);
}

void save(const Store& store, const std::string& path, Response& response) {
  if (path.empty()) {
    response.status = 404;
    response.set_content("no --save-to was given\n", plain);
    return;
  }
  const bool saved = store.save(path);
  response.status = saved ? 200 : 500;
  response.set_content(saved ? "saved\n" : "the file cannot be written\n", plain);
}

void count(Statistics& statistics, const Request& request, const Response& response) {
  constexpr int not_found = 404;
  statistics.count(response.status == not_found ? "not found" : request.path, response.body.size());
  spool::debug("{} {} -> {}", request.method, request.path, response.status);
}

}  // namespace

void add_routes(httplib::Server& server, Store& store, Statistics& statistics, const std::string& save_to) {
  server.Get("/get", [&](const Request& request, Response& response) { get(store, request, response); });
  server.Post("/set", [&](const Request& request, Response& response) { set(store, request, response); });
  server.Get("/report", [&](const Request& /*all*/, Response& response) { report(store, response); });
  server.Post("/save", [&](const Request& /*all*/, Response& response) { save(store, save_to, response); });
  server.Get("/statistics",
             [&](const Request& /*all*/, Response& response) { response.set_content(statistics.text(), plain); });
  server.set_logger([&](const Request& request, const Response& response) { count(statistics, request, response); });
}

}  // namespace http_server
