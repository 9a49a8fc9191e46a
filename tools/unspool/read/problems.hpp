// SPDX-License-Identifier: MIT
//
// Collects what is wrong with a trace. Owns that a broken file cannot drown its report: a million broken packets make
// a few sentences and a count.
#pragma once

#include <unspool/model/model.hpp>

#include <cstdint>
#include <string>

namespace unspool {

/// The sum, or the largest number: counts in a broken file may be anything.
std::uint64_t saturated(std::uint64_t a, std::uint64_t b);

/// Writes into one Process's problems. What was said already is not said again: definitions are read twice where they
/// are printed. Thread-bound.
class Problems {
 public:
  explicit Problems(Process& process) : process_(process) {}

  /// Something that costs nothing: the figures are whole.
  void note(std::string text);
  /// Something that is missing or wrong in the figures; `bytes` of the input could not be read.
  void damage(std::string text, std::uint64_t bytes = 0);

  /// Nothing is written down until it is called with false.
  void mute(bool on) { muted_ = on; }

  /// Anything was damaged so far.
  bool damaged() const { return damages_ > 0; }

 private:
  bool is_said(const std::string& text) const;
  void add(Problem::Severity severity, std::string text);

  Process& process_;
  bool muted_ = false;
  std::uint64_t damages_ = 0;
  std::uint64_t beyond_ = 0;  ///< problems that have no sentence of their own
};

}  // namespace unspool
