// SPDX-License-Identifier: MIT
#include "machine.hpp"

#include <fmt/format.h>

#include <fstream>
#include <thread>

#include <sys/utsname.h>

namespace bench {
namespace {

std::string first_line(const char* path) {
  std::string line;
  std::getline(std::ifstream{path} >> std::ws, line);
  return line.empty() ? "not known" : line;
}

/// A value of /proc/cpuinfo, of its first CPU.
std::string cpu(const std::string& wanted) {
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with(wanted)) return line.substr(line.find(':') + 2);
  }
  return "not known";
}

std::string compiler() {
#if defined(__clang__)
  const std::string name = "clang " __clang_version__;
#else
  const std::string name = "g++ " __VERSION__;
#endif
#if defined(__OPTIMIZE__)
  return name + ", optimized";
#else
  return name + ", NOT OPTIMIZED: these figures say nothing";
#endif
}

}  // namespace

std::vector<std::pair<std::string, std::string>> machine_facts() {
  utsname system{};
  uname(&system);
  return {{"CPU", fmt::format("{}, {} MHz", cpu("model name"), cpu("cpu MHz"))},
          {"cores", std::to_string(std::thread::hardware_concurrency())},
          {"kernel", fmt::format("{} {}", system.sysname, system.release)},
          {"clock", first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource")},
          {"compiler", compiler()},
          {"load", first_line("/proc/loadavg")}};
}

}  // namespace bench
