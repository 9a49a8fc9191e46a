// SPDX-License-Identifier: MIT
#include <spool/sinks/safe_files.hpp>

#include <catch2/catch.hpp>
#include <spdlog/sinks/rotating_file_sink.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

/// An empty directory that goes away again.
class Place {
 public:
  Place() {
    std::string name = (fs::temp_directory_path() / "spool-safe-files-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

std::shared_ptr<spdlog::sinks::rotating_file_sink_mt> rotating(const fs::path& path) {
  return std::make_shared<spdlog::sinks::rotating_file_sink_mt>(path.string(), 300, 3, false,
                                                                spool::sinks::safe_files());
}

TEST_CASE("files are made 0600 in directories made 0700, after each rotation too") {
  const ::mode_t before = ::umask(0);
  const Place place;
  const fs::path file = place.path() / "deep" / "er" / "server.log";
  const auto sink = rotating(file);
  for (int i = 0; i < 20; ++i)
    sink->log({"logger", spdlog::level::info, "some forty characters that fill the file"});
  sink->flush();
  ::umask(before);
  CHECK(mode_of(place.path() / "deep") == 0700);
  CHECK(mode_of(place.path() / "deep" / "er") == 0700);
  int files = 0;
  for (const auto& each : fs::directory_iterator{file.parent_path()}) {
    CHECK(mode_of(each.path()) == 0600);
    ++files;
  }
  CHECK(files == 4);
}

TEST_CASE("a symbolic link in the log's place is refused, and what it leads to stays as it is") {
  const Place place;
  const fs::path victim = place.path() / "victim";
  std::ofstream{victim} << "precious";
  fs::create_symlink(victim, place.path() / "server.log");
  CHECK_THROWS_WITH(rotating(place.path() / "server.log"), Catch::Contains("symbolic link"));
  std::ifstream in{victim};
  std::string text;
  in >> text;
  CHECK(text == "precious");
}

}  // namespace
