// SPDX-License-Identifier: MIT
//
// Call stacks at waits (opt-in): numbers for stacks and frames, each kept once, and what the frames are called once
// somebody has looked. Owns these tables; under the recorder's mutex m. What a stack's definition looks like is
// Definitions' business.
//
//   stack 7 = frame 3, called by stack 5 = frame 1, called by stack 2 = ...
//
// So stacks with the same callers share these.
#pragma once

#include <spool/os/symbols.hpp>
#include <spool/trace/ids.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace spool::log {

class Object;
struct Writer;

using UnnamedFrame = std::pair<trace::FrameNumber, os::CodeAddress>;
/// What a frame is called: innermost first where functions were put into each other.
using NamedFrame = std::pair<trace::FrameNumber, std::vector<os::SourceLine>>;

/// How many frames of a wait's call stack are kept, innermost first; 0: none are looked for.
inline std::atomic<std::uint32_t> stack_depth{0};
inline constexpr std::uint32_t most_frames = 128;

/// A call stack as the thread finds it, before it has a number. On the thread's own stack.
struct CapturedStack {
  std::array<os::CodeAddress, most_frames> addresses;
  std::size_t count = 0;
  std::uint64_t digest = 0;

  std::span<const os::CodeAddress> frames() const { return {addresses.data(), count}; }
};

/// The last part of a wait's beginning: its call stack goes into the trace and the status entry.
/// Records: status.stack, where stacks are wanted and the trace is a directory.
void note_stack(Writer& writer, Object& object) noexcept;

class CallStacks {
 public:
  /// No more are kept: a program that recurses in ever new ways must not eat the memory.
  static constexpr std::size_t most_kept = std::size_t{1} << 16U;

  struct Frame {
    os::CodeAddress address = 0;
    std::string module;
    std::uint64_t offset = 0;
    std::vector<os::SourceLine> lines;  ///< innermost first
    std::uint32_t defined = 0;          ///< number of the segment
  };
  struct Stack {
    trace::FrameNumber frame = 0;
    trace::StackNumber caller = 0;
    std::uint32_t defined = 0;
  };

  /// The stack of these frames, innermost first; 0: there are too many.
  trace::StackNumber number_of(std::span<const os::CodeAddress> frames);
  Stack* stack(trace::StackNumber number);
  Frame& frame(trace::FrameNumber number) { return frames_[number - 1]; }

  /// Frames that nobody has looked at yet, from the first on that has not been given out.
  std::vector<UnnamedFrame> take_unnamed();
  bool has_unnamed() const { return given_out_ != frames_.size(); }

 private:
  trace::FrameNumber number_of(os::CodeAddress address);

  std::deque<Frame> frames_;  ///< number - 1
  std::unordered_map<os::CodeAddress, trace::FrameNumber> frame_numbers_;
  std::deque<Stack> stacks_;  ///< number - 1
  std::map<std::pair<trace::StackNumber, trace::FrameNumber>, trace::StackNumber>
      stack_numbers_;  ///< by caller and frame
  std::size_t given_out_ = 0;
};

}  // namespace spool::log
