// SPDX-License-Identifier: MIT
//
// The last check of a program that records: are all Records of its tests legal, and was none lost?
#pragma once

namespace spool::test {

/// Prints what is not; 0 when all is.
int judge_all_records();

}  // namespace spool::test
