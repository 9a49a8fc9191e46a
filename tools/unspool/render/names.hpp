// SPDX-License-Identifier: MIT
//
// What threads, objects and sites are called in text for people: escaped, unambiguous, short. Owns no layout.
#pragma once

#include <unspool/model/model.hpp>

#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace unspool {

class Names {
 public:
  explicit Names(const Process& process);

  /// Of these objects those that share kind and name are told with their number from now on: `lock "accounts" #7`.
  void tell_apart(const std::set<trace::ObjectNumber>& objects);

  /// "worker-1"; "worker#12" where several threads share a name; "thread 12" without one.
  std::string thread(trace::ThreadNumber thread) const;
  /// `lock "accounts"`; `lock #7` without a name.
  std::string object(trace::ObjectNumber object, trace::Kind kind) const;
  /// "bank.cpp:40", with as many folders as it takes to be unique among the trace's files.
  std::string site(trace::SiteNumber site) const;
  /// "bank.cpp:40 (transfer)"
  std::string site_and_function(trace::SiteNumber site) const;

  /// The calls of a stack, innermost first: "transfer(Account&) at bank.cpp:40", "kvserver+0x12ab" where it has no
  /// name. Those of the program itself; not more than `most`.
  std::vector<std::string> calls(trace::StackNumber stack, std::size_t most) const;

 private:
  std::string short_file(const std::string& file) const;

  const Process& process_;
  std::unordered_map<std::string, std::size_t> thread_names_;  ///< how many bear each
  std::unordered_map<std::string, std::string> files_;         ///< path → what is unique of it
  std::unordered_set<trace::ObjectNumber> numbered_;           ///< objects that share their name
};

/// Where a Record stands: "000003/stream-0001@4096", or "server.log@4096", raw.
std::string place_text(const Process& process, const Place& at);

/// What stands for an object's number: counts from 1, so that it can be read out and found again in `cat`.
std::string object_number(trace::ObjectNumber object);

}  // namespace unspool
