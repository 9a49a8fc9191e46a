// SPDX-License-Identifier: MIT
//
// Steps that the mode does not record. Whoever goes on may have put, set or notified while nobody waited for that, as
// main puts the first item before its workers begin, and may do it again. Threads that hope for each other, and none of
// them for a lock's owner, a joined thread or a pool's worker with a task, are not stuck meanwhile.
#pragma once

#include <unspool/analyze/waiting.hpp>
#include <unspool/replay/replay.hpp>

#include <vector>

namespace unspool {

/// Adds those that go on to the kin of such threads; true if there was something to add. `waiting`: by thread, judged.
bool hope_for_unseen(std::vector<Waiting>& waiting, const Process& process, const Replay& replay);

}  // namespace unspool
