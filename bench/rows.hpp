// SPDX-License-Identifier: MIT
//
// What is measured, by subject; main runs the rows in this order.
#pragma once

#include "measure.hpp"

#include <vector>

namespace bench {

std::vector<Benchmark> lock_rows();
std::vector<Benchmark> sustained_rows();
std::vector<Benchmark> lttng_rows();  ///< none where LTTng-UST was missing when this was built
std::vector<Benchmark> contended_rows();
std::vector<Benchmark> condition_rows();
std::vector<Benchmark> primitive_rows();
std::vector<Benchmark> boost_rows();
std::vector<Benchmark> handover_rows();
std::vector<Benchmark> message_rows();
std::vector<Benchmark> feed_rows();
std::vector<Benchmark> thread_rows();

}  // namespace bench
