// SPDX-License-Identifier: MIT
//
// The small programs that program_*_test.cpp run to their ends, by name: `unit_program NAME`. Each shows one thing
// about how a program that uses spool begins, ends or forks.
#pragma once

#include <map>
#include <string_view>

namespace spool::test {

using Program = int (*)();
using Programs = std::map<std::string_view, Program>;

Programs archive_programs();  ///< program_archive.cpp: what becomes of closed segments
Programs config_programs();   ///< program_config.cpp: how it begins
Programs cost_programs();     ///< program_cost.cpp: what recording costs it
Programs damage_programs();   ///< program_damage.cpp: a trace that another process truncates
Programs end_programs();      ///< program_end.cpp: how it ends
Programs fork_programs();     ///< program_fork.cpp: how it forks
Programs hostile_programs();  ///< program_hostile.cpp: names and texts of an attacker
Programs left_programs();     ///< program_left.cpp: pools and per-thread values at its end
Programs loss_programs();     ///< program_loss.cpp: a trace in trouble
Programs message_programs();  ///< program_messages.cpp: what it says
Programs mode_programs();     ///< program_modes.cpp: modes that change while threads lock and wait
Programs orphan_programs();   ///< program_orphan.cpp: what a forked child finds of its parent's threads
Programs refusal_programs();  ///< program_refusal.cpp: threads that the system does not make
Programs scale_programs();    ///< program_scale.cpp: very many threads
Programs stack_programs();    ///< program_stacks.cpp: call stacks at waits
Programs watch_programs();    ///< program_watch.cpp: how it is watched

/// A line to stdout at once.
void say(const char* words);

/// Whether this is the child of a fork: told before it ends.
extern bool is_forked;

}  // namespace spool::test
