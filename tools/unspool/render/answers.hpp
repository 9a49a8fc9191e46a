// SPDX-License-Identifier: MIT
//
// What a command has to say of one process after another, in the form that was asked for: text at once, JSON or CSV as
// one document at the end; then what it has to say of several together. Owns the forms' choice and what stands between
// processes.
#pragma once

#include <unspool/render/command.hpp>
#include <unspool/render/csv.hpp>
#include <unspool/render/json.hpp>
#include <unspool/render/together.hpp>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

namespace unspool {

class Answers {
 public:
  /// All three outlive it.
  Answers(std::string_view command, const Options& options, std::FILE* out)
      : command_{command}, options_{options}, out_{out}, together_{command, options} {}

  /// Calls one of both, for a std::string or Json.
  template <class MakeText, class MakeJson>
  void add(const MakeText& make_text, const MakeJson& make_json) {
    if (options_.together) return;
    if (options_.format != Options::Format::table) return documents_.push_back(make_json());
    const std::string text = separator_ + make_text();
    std::fwrite(text.data(), 1, text.size(), out_);
    separator_ = "\n";
  }

  /// The process counts for what is said of all together. `moment`: that its open waits are told of.
  void join(const Process& process, const Analysis& analysis, trace::Ticks moment) {
    if (!Together::is_for(command_)) return;
    together_.add(process, analysis, moment);
    ++joined_;
  }

  /// Once, after the last process.
  void finish() {
    const bool together = joined_ > 1 || options_.together;
    if (options_.format == Options::Format::table && together) {
      const std::string text = separator_ + together_.text();
      std::fwrite(text.data(), 1, text.size(), out_);
    }
    if (options_.format == Options::Format::json)
      print_document(command_, std::move(documents_), together ? together_.json() : Json{}, out_);
    if (options_.format != Options::Format::csv) return;
    if (options_.together) {
      print_csv(std::string{command_} + " --together", Json::array({together_.json()}), out_);
    } else {
      print_csv(command_, documents_, out_);
    }
  }

 private:
  std::string_view command_;
  const Options& options_;
  std::FILE* out_;
  Json documents_ = Json::array();
  std::string separator_;
  Together together_;
  std::size_t joined_ = 0;
};

}  // namespace unspool
