// SPDX-License-Identifier: MIT
//
// The words of one wait: for what, who could end it and what those did before, whose it is. Owns no judgement.
#pragma once

#include <unspool/analyze/deadlocks.hpp>
#include <unspool/render/names.hpp>
#include <unspool/render/style.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace unspool {

/// Those who wait are told of together: objects of one name get their numbers.
void tell_apart(Names& names, const Deadlocks& deadlocks);

/// What it waits for: "an item from queue "jobs"", "the end of worker-1", "task 3 of pool #1"; of several threads that
/// wait for different tasks "tasks of pool #1".
std::string awaited(const Names& names, const Waiting& waiting, bool one_task = true);

/// Of a wait for a task's result the task; else 0.
std::uint32_t task_number(const Waiting& waiting);

/// Which of a queue's or pool's calls waits; 0 of what has one.
std::uint32_t call_number(const Waiting& waiting);

/// What a thread that it hopes for would have to do, or does already: "could set it", "runs it".
std::string could_do(const Deadlocks& deadlocks, const Waiting& waiting, trace::ThreadNumber thread);

/// What others have to do for such a wait to end.
Role awaited_role(const Waiting& waiting);

/// "set", "put into", ...: what a thread does to an object of this kind in this role.
std::string_view deed_name(trace::Kind kind, Role role);
/// The same after "to have".
std::string_view deed_done(trace::Kind kind, Role role);
/// As the former two, where the object stands beside it already.
std::string_view short_deed(trace::Kind kind, Role role);
std::string_view short_deed_done(trace::Kind kind, Role role);

/// What was done before is told of the object that is waited for ("it"), or of another one.
std::string_view which(const Waiting& waiting);

/// "held by worker-1", "held by worker-1, which has ended", "behind writer, who waits for it as well", "worker-2 notified it
/// before"; empty of a join, and where nobody is known.
std::string whose_it_is(const Names& names, const Deadlocks& deadlocks, const Waiting& waiting);

/// "taken at bank.cpp:40 (transfer) at +0.120000 s"; empty without a site.
std::string taken_at(const Names& names, const Times& times, trace::SiteNumber site, trace::Ticks since, bool known);
/// The same of where its owner took what it waits for; empty also of what nobody holds.
std::string where_taken(const Names& names, const Times& times, const Waiting& waiting);

}  // namespace unspool
