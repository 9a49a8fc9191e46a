// SPDX-License-Identifier: MIT
#include <unspool/analyze/fingerprint.hpp>

#include <string>

namespace unspool {

void Fingerprint::add(std::string_view text) {
  const auto eat = [this](unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100'0000'01b3; };
  for (const char each : text)
    eat(static_cast<unsigned char>(each));
  eat(0);  // so that "ab" "c" is not "a" "bc"
}

void Fingerprint::add_number(std::uint64_t number) {
  add(std::to_string(number));
}

void Fingerprint::add_name(std::string_view name) {
  std::string shape;
  for (const char each : name) {
    const bool digit = each >= '0' && each <= '9';
    if (!digit) shape += each;
    if (digit && !shape.ends_with('#')) shape += '#';
  }
  add(shape);
}

void Fingerprint::add_site(const Process& process, trace::SiteNumber site) {
  const auto found = process.sites.find(site);
  if (found == process.sites.end()) return add("?");
  const std::string_view file = found->second.file;
  add(file.substr(file.find_last_of('/') + 1));
  add_number(found->second.line);
  add(found->second.function);
}

void Fingerprint::add_object(const Process& process, trace::ObjectNumber object) {
  if (trace::is_thread(object)) {
    const auto found = process.threads.find(static_cast<trace::ThreadNumber>(object));
    return add_name(found == process.threads.end() ? "?" : std::string_view{found->second.name});
  }
  const auto found = process.objects.find(object);
  if (found == process.objects.end()) return add("?");
  add(trace::name_of(found->second.kind));
  add_name(found->second.name);
  add_site(process, found->second.site);
}

}  // namespace unspool
