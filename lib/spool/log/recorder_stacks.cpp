// SPDX-License-Identifier: MIT
//
// Call stacks on their way into the trace, and the names that the symbolizer finds for them.
#include <spool/log/keeper.hpp>
#include <spool/log/recorder.hpp>

#include <fmt/format.h>

#include <utility>

namespace spool::log {

/// Under m.
bool Recorder::define_stack(Writer& writer, const CapturedStack& captured) {
  CallStacks& stacks = definitions_.stacks();
  const trace::StackNumber number = stacks.number_of(captured.frames());
  if (!definitions_.define_stack(*current_, number)) return false;
  writer.stacks[captured.digest % Writer::stack_slots] = {captured.digest, current_->number, number};
  if (stacks.has_unnamed()) Keeper::wake();
  return true;
}

bool Recorder::symbolize() {
  if (auto named = symbolizer_.take()) {
    const std::lock_guard guard{m_};
    definitions_.name_frames(current_.get(), std::move(*named));
  }
  if (!symbolizer_.is_idle()) return true;
  std::vector<UnnamedFrame> unnamed;
  {
    const std::lock_guard guard{m_};
    if (!definitions_.stacks().has_unnamed()) return false;
    unnamed = definitions_.stacks().take_unnamed();
  }
  return symbolizer_.give(std::move(unnamed));
}

/// The keeper has ended. What is found later than this nobody would read.
void Recorder::finish_symbols() {
  const os::Deadline deadline = os::deadline_after(std::chrono::seconds{5});
  while (symbolize() && os::Deadline::clock::now() < deadline)
    symbolizer_.await(deadline);
  symbolizer_.stop();
}

/// Lines of the source, innermost first; frames without a name by module and offset.
std::vector<std::string> Recorder::calls_of(trace::StackNumber number) {
  std::vector<std::string> out;
  const auto is_own = [&](const std::string& function) { return out.empty() && function.starts_with("spool::"); };
  CallStacks& stacks = definitions_.stacks();
  for (const CallStacks::Stack* each = stacks.stack(number); each != nullptr; each = stacks.stack(each->caller)) {
    const CallStacks::Frame& frame = stacks.frame(each->frame);
    for (const os::SourceLine& line : frame.lines) {
      if (is_own(line.function)) continue;
      out.push_back(line.file.empty() ? line.function : fmt::format("{} {}:{}", line.function, line.file, line.line));
    }
    if (frame.lines.empty()) out.push_back(fmt::format("{}+{:#x}", frame.module, frame.offset));
  }
  return out;
}

}  // namespace spool::log
