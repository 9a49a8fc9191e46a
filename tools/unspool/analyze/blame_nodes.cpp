// SPDX-License-Identifier: MIT
#include <unspool/analyze/blame.hpp>
#include <unspool/replay/kinds.hpp>

#include <vector>

namespace unspool {

using Role = BlameStep::Role;
using trace::Kind;

/// Any of the numbers may be a hostile trace's choice: each one goes through the whole word.
std::size_t Blame::ChildHash::operator()(const Child& child) const {
  const auto& [parent, step] = child;
  std::uint64_t hash = parent;
  for (const std::uint64_t part :
       {std::uint64_t{step.object}, std::uint64_t{step.thread} << 32U | step.site,
        static_cast<std::uint64_t>(step.kind) << 8U | static_cast<std::uint64_t>(step.role)}) {
    hash = (hash ^ part) * 0x9e37'79b9'7f4a'7c15;
    hash ^= hash >> 32U;
  }
  return hash;
}

std::size_t Blame::node_of(const std::vector<BlameStep>& chain) {
  std::size_t node = 0;
  for (const BlameStep& step : chain)
    node = child(node, step);
  return node;
}

/// The chain that ends at `below`, behind the one that ends at `node`.
std::size_t Blame::graft(std::size_t node, std::size_t below) {
  std::vector<BlameStep> steps;
  for (; below != 0 && steps.size() < most_steps; below = nodes_[below].parent)
    steps.push_back(nodes_[below].step);
  std::size_t depth = 0;
  for (std::size_t at = node; at != 0; at = nodes_[at].parent)
    ++depth;
  if (steps.empty() || below != 0 || depth + steps.size() > most_steps) return child(node, {});
  for (auto step = steps.rbegin(); step != steps.rend(); ++step)
    node = child(node, step->role == Role::rest ? rest_of(node, *step) : *step);
  return node;
}

/// What stands for all chains that begin as this one: waits for signals are not put together with those for locks.
BlameStep Blame::rest_of(std::size_t parent, const BlameStep& step) const {
  Kind first = step.kind;
  for (std::size_t at = parent; at != 0; at = nodes_[at].parent)
    first = nodes_[at].step.kind;
  return {Role::rest, 0, 0, 0, is_signal(first) ? Kind::condition : Kind::trace};
}

std::size_t Blame::child(std::size_t parent, const BlameStep& step) {
  if (nodes_[parent].step.role == Role::rest) return parent;
  if (const auto found = children_.find({parent, step}); found != children_.end()) return found->second;
  if (nodes_.size() >= most_nodes && step.role != Role::rest) return child(0, rest_of(parent, step));
  nodes_.push_back({step, parent, 0});
  children_[{parent, step}] = nodes_.size() - 1;
  return nodes_.size() - 1;
}

/// The first of its class that was seen: a server makes objects without end.
trace::ObjectNumber Blame::class_of(trace::ObjectNumber object, Kind kind) {
  const auto found = process_.objects.find(object);
  if (found == process_.objects.end() || kind == Kind::thread) return object;
  if (classes_.size() > most_nodes) return 0;
  return classes_.try_emplace({kind, found->second.site, found->second.name}, object).first->second;
}

}  // namespace unspool
