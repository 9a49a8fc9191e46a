// SPDX-License-Identifier: MIT
//
// spool: threading primitives whose log says who waited for whom, for how long, and because of which line.
// This header has all of it; a program that includes it also obeys the SPOOL_... environment (config/config.hpp).
#pragma once

#include <spool/config/config.hpp>
#include <spool/log/logger.hpp>
#include <spool/log/message.hpp>
#include <spool/sinks/json_lines.hpp>
#include <spool/sinks/text.hpp>
#include <spool/sync/barrier.hpp>
#include <spool/sync/condition.hpp>
#include <spool/sync/event.hpp>
#include <spool/sync/guards.hpp>
#include <spool/sync/lock.hpp>
#include <spool/sync/misuse.hpp>
#include <spool/sync/queue.hpp>
#include <spool/sync/rlock.hpp>
#include <spool/sync/semaphore.hpp>
#include <spool/sync/shared_guard.hpp>
#include <spool/sync/shared_lock.hpp>
#include <spool/thread/future.hpp>
#include <spool/thread/local.hpp>
#include <spool/thread/thread.hpp>
#include <spool/thread/thread_pool.hpp>
#include <spool/thread/timer.hpp>
