// SPDX-License-Identifier: MIT
#include <spool/log/call_stacks.hpp>
#include <spool/log/status.hpp>

#include <algorithm>
#include <cstring>

namespace spool::log {

trace::FrameNumber CallStacks::number_of(os::CodeAddress address) {
  const auto [found, is_new] = frame_numbers_.try_emplace(address, static_cast<trace::FrameNumber>(frames_.size() + 1));
  if (is_new) {
    const os::CodePlace place = os::place_of(address);
    frames_.push_back({address, std::string{place.module}, place.offset, {}, 0});
  }
  return found->second;
}

trace::StackNumber CallStacks::number_of(std::span<const os::CodeAddress> frames) {
  trace::StackNumber caller = 0;
  for (std::size_t i = frames.size(); i-- > 0;) {
    if (stacks_.size() >= most_kept) return 0;
    const trace::FrameNumber frame = number_of(frames[i]);
    const auto [found, is_new] =
        stack_numbers_.try_emplace({caller, frame}, static_cast<trace::StackNumber>(stacks_.size() + 1));
    if (is_new) stacks_.push_back({frame, caller, 0});
    caller = found->second;
  }
  return caller;
}

CallStacks::Stack* CallStacks::stack(trace::StackNumber number) {
  return number == 0 || number > stacks_.size() ? nullptr : &stacks_[number - 1];
}

std::vector<UnnamedFrame> CallStacks::take_unnamed() {
  std::vector<UnnamedFrame> taken;
  for (; given_out_ < frames_.size(); ++given_out_)
    taken.emplace_back(static_cast<trace::FrameNumber>(given_out_ + 1), frames_[given_out_].address);
  return taken;
}

namespace {

constexpr std::uint16_t stack_id = trace::record_id(trace::Kind::status, trace::Verb::stack);

/// FNV-1a over words.
std::uint64_t digest_of(std::span<const os::CodeAddress> frames) noexcept {
  std::uint64_t digest = 0xcbf2'9ce4'8422'2325U;
  for (const os::CodeAddress each : frames)
    digest = (digest ^ each) * 0x0000'0100'0000'01b3U;
  return digest;
}

/// One attempt. 0: it has to be prepared for.
trace::StackNumber try_tell(Writer& writer, const Object& object, const CapturedStack& captured) noexcept {
  Emission emission;
  if (emission.enter(writer, sizeof(trace::StatusStackRecord)) != Emission::Result::entered) return 0;
  const Writer::StackSlot& slot = writer.stacks[captured.digest % Writer::stack_slots];
  const bool known = slot.digest == captured.digest && slot.generation == writer.generation && slot.number != 0 &&
                     object.is_defined(writer.generation);
  if (!known) {
    emission.leave(writer);
    return 0;
  }
  const trace::StatusStackRecord record{
      {os::ticks(), trace::id_and_object(stack_id, object.known_number())}, slot.number, 0};
  std::memcpy(emission.bytes, &record, sizeof record);
  emission.commit(writer);
  return slot.number;
}

trace::StackNumber tell(Writer& writer, Object& object, const CapturedStack& captured) noexcept {
  if (const trace::StackNumber told = try_tell(writer, object, captured)) return told;
  constexpr int attempts = 64;
  const Need need{.size = sizeof(trace::StatusStackRecord), .object = &object, .stack = &captured};
  for (int i = 0; i < attempts; ++i) {
    if (!prepare(writer, need)) return 0;
    const trace::StackNumber told = try_tell(writer, object, captured);
    finish(writer);
    const Writer::StackSlot& slot = writer.stacks[captured.digest % Writer::stack_slots];
    const bool kept = slot.digest != captured.digest || slot.number != 0;
    if (told != 0 || !kept) return told;  // not kept: there are too many stacks
  }
  count_loss(writer, trace::LossReason::no_space);
  return 0;
}

}  // namespace

void note_stack(Writer& writer, Object& object) noexcept {
  const std::uint32_t depth = stack_depth.load(std::memory_order_relaxed);    // relaxed: a switch, seen soon
  if (depth == 0 || generation.load(std::memory_order_relaxed) == 0) return;  // relaxed: a hint
  CapturedStack captured;  // NOLINT(cppcoreguidelines-pro-type-member-init): as far as it counts
  captured.count = os::call_stack(std::span{captured.addresses}.first(std::min(depth, most_frames)));
  if (captured.count == 0) return;
  captured.digest = digest_of(captured.frames());
  const trace::StackNumber number = tell(writer, object, captured);
  detail::put(writer.current_status().wait_stack, number);
}

}  // namespace spool::log
