// SPDX-License-Identifier: MIT
// A subclass takes what it needs in its constructor.
//
// Output, in any order of the threads:
//   one | (fetch-0) GET /index.html, 3 tries
//   two | (fetch-1) GET /about.html, 3 tries
#include <spool/spool.hpp>

#include <fmt/format.h>

#include <string>
#include <utility>

class Fetcher : public spool::Thread {
 public:
  Fetcher(int number, std::string path, int tries)
      : Thread{spool::ThreadOptions{.name = fmt::format("fetch-{}", number)}}, path_{std::move(path)}, tries_{tries} {}

 protected:
  void run() override { spool::info("GET {}, {} tries", path_, tries_); }

 private:
  std::string path_;
  int tries_;
};

int main() {
  spool::basic_config({.sinks = {spool::sinks::console("(%N) %v")}});
  int number = 0;
  for (const char* path : {"/index.html", "/about.html"})
    spool::make_thread<Fetcher>(number++, path, 3)->start();
}
