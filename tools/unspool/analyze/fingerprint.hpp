// SPDX-License-Identifier: MIT
//
// A number that a finding keeps from run to run: made of kinds, sites and names, never of numbers or times. Digits in
// names do not count: the same mistake between worker-3 and worker-5 is the same finding.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
#include <string_view>

namespace unspool {

class Fingerprint {
 public:
  void add(std::string_view text);
  /// One number is like another in it.
  void add_name(std::string_view name);
  void add_number(std::uint64_t number);
  /// File name without folders (builds stand in different ones), line, function.
  void add_site(const Process& process, trace::SiteNumber site);
  /// Kind, name, creation site; of a thread its name.
  void add_object(const Process& process, trace::ObjectNumber object);
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf2'9ce4'8422'2325;  ///< FNV-1a
};

}  // namespace unspool
