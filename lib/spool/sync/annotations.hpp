// SPDX-License-Identifier: MIT
//
// Clang's thread-safety annotations; nothing for other compilers. A user may annotate with them too.
#pragma once

#if defined(__clang__)
#define SPOOL_ANNOTATION(...) __attribute__((__VA_ARGS__))
#else
#define SPOOL_ANNOTATION(...)
#endif

#define SPOOL_CAPABILITY(name) SPOOL_ANNOTATION(capability(name))
#if defined(__has_attribute) && __has_attribute(reentrant_capability)
#define SPOOL_REENTRANT_CAPABILITY(name) SPOOL_ANNOTATION(capability(name), reentrant_capability)
#else
#define SPOOL_REENTRANT_CAPABILITY(name) SPOOL_ANNOTATION(capability(name))
#endif
#define SPOOL_SCOPED_CAPABILITY SPOOL_ANNOTATION(scoped_lockable)
#define SPOOL_GUARDED_BY(...) SPOOL_ANNOTATION(guarded_by(__VA_ARGS__))
#define SPOOL_REQUIRES(...) SPOOL_ANNOTATION(requires_capability(__VA_ARGS__))
#define SPOOL_ACQUIRE(...) SPOOL_ANNOTATION(acquire_capability(__VA_ARGS__))
#define SPOOL_RELEASE(...) SPOOL_ANNOTATION(release_capability(__VA_ARGS__))
#define SPOOL_TRY_ACQUIRE(...) SPOOL_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define SPOOL_REQUIRES_SHARED(...) SPOOL_ANNOTATION(requires_shared_capability(__VA_ARGS__))
#define SPOOL_ACQUIRE_SHARED(...) SPOOL_ANNOTATION(acquire_shared_capability(__VA_ARGS__))
#define SPOOL_RELEASE_SHARED(...) SPOOL_ANNOTATION(release_shared_capability(__VA_ARGS__))
#define SPOOL_TRY_ACQUIRE_SHARED(...) SPOOL_ANNOTATION(try_acquire_shared_capability(__VA_ARGS__))
#define SPOOL_EXCLUDES(...) SPOOL_ANNOTATION(locks_excluded(__VA_ARGS__))
#define SPOOL_RETURN_CAPABILITY(x) SPOOL_ANNOTATION(lock_returned(x))
#define SPOOL_NO_THREAD_SAFETY_ANALYSIS SPOOL_ANNOTATION(no_thread_safety_analysis)
