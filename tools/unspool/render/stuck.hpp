// SPDX-License-Identifier: MIT
//
// Tells what is stuck without being a ring of locks and joins: for each wait who ended such waits before, and what
// those threads do now.
#pragma once

#include <unspool/analyze/analysis.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/style.hpp>

#include <string>
#include <string_view>

namespace unspool {

/// "set", "put into", ...: what a thread does to an object of this kind in this role.
std::string_view deed_name(trace::Kind kind, Role role);

/// Those who wait are told of together: objects of one name get their numbers.
void tell_apart(Names& names, const Deadlocks& deadlocks);

/// What it waits for: "an item from queue "jobs"", "the end of worker-1", "task 3 of pool #1"; of several threads that
/// wait for different tasks "tasks of pool #1".
std::string awaited(const Names& names, const Waiting& waiting, bool one_task = true);

/// Of a wait for a task's result the task; else 0.
std::uint32_t task_number(const Waiting& waiting);

/// What a thread that it hopes for would have to do, or does already: "could set it", "runs it".
std::string could_do(const Deadlocks& deadlocks, const Waiting& waiting, trace::ThreadNumber thread);

/// Which of a queue's or pool's calls waits; 0 of what has one.
std::uint32_t call_number(const Waiting& waiting);

/// "held by worker-1", "held by worker-1, which has ended", "behind writer, who waits for it as well", "worker-2 notified it
/// before"; empty of a join, and where nobody is known.
std::string whose_it_is(const Names& names, const Deadlocks& deadlocks, const Waiting& waiting);

/// "taken at bank.cpp:40 (transfer) at +0.120000 s": where its owner took what it waits for; empty where that is not
/// known, and of what nobody holds.
std::string where_taken(const Names& names, const Times& times, const Waiting& waiting);

/// Why a thread that waits is not stuck, in a few words.
std::string why_not_stuck(const Process& process, const Names& names, const Deadlocks& deadlocks,
                          const Waiting& waiting);

/// What the finding is, after "DEADLOCK, likely: ".
std::string stuck_title(const Names& names, const Deadlocks& deadlocks, const Cycle& cycle);

/// The waits and the suspects, a line each, indented.
std::string stuck_members(const Names& names, const Times& times, const Analysis& analysis, const Cycle& cycle,
                          unsigned width, std::size_t most_threads);

/// What may be done about it; empty where nothing can be said.
std::string_view stuck_advice(const Deadlocks& deadlocks, const Cycle& cycle);

/// A line for each call of the stack, indented, the innermost first; empty where there is none.
std::string call_lines(const Names& names, trace::StackNumber stack, unsigned width, unsigned indent);

}  // namespace unspool
