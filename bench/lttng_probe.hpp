// SPDX-License-Identifier: MIT
//
// Two LTTng-UST tracepoints with what our Records have beside the time: object, sequence, thread, and the line as a
// number. LTTng includes this file several times.
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER spool_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "lttng_probe.hpp"

#if !defined(SPOOL_BENCH_LTTNG_PROBE_HPP) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define SPOOL_BENCH_LTTNG_PROBE_HPP

#include <lttng/tracepoint.h>

#include <cstdint>

LTTNG_UST_TRACEPOINT_EVENT(spool_bench, acquire,
                           LTTNG_UST_TP_ARGS(std::uint64_t, object, std::uint32_t, site, std::uint32_t, seq),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(std::uint64_t, object, object)
                                                   lttng_ust_field_integer(std::uint32_t, site, site)
                                                       lttng_ust_field_integer(std::uint32_t, seq, seq)))

LTTNG_UST_TRACEPOINT_EVENT(spool_bench, release,
                           LTTNG_UST_TP_ARGS(std::uint64_t, object, std::uint32_t, site, std::uint32_t, seq),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(std::uint64_t, object, object)
                                                   lttng_ust_field_integer(std::uint32_t, site, site)
                                                       lttng_ust_field_integer(std::uint32_t, seq, seq)))

#endif

#include <lttng/tracepoint-event.h>
