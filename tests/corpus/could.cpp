// SPDX-License-Identifier: MIT
//
// Could deadlock, and did not: what would have had to come together did not do so in this run. Nothing that spool sees
// keeps it apart.
#include "corpus.hpp"

#include <array>

namespace corpus {
namespace {

template <class L>
void inversion() {
  auto* const a = new L{"a"};
  auto* const b = new L{"b"};
  const auto both = [](L& outer, L& inner) {
    const std::lock_guard guard{outer};
    const std::lock_guard inner_guard{inner};
  };
  apart([=] { both(*a, *b); }, [=] { both(*b, *a); });
}

void inversion_of_three() {
  auto* const locks = new std::array<spool::Lock, 3>{};
  const auto both = [](spool::Lock& outer, spool::Lock& inner) {
    const std::lock_guard guard{outer};
    const std::lock_guard inner_guard{inner};
  };
  apart(
      [=] {
        both((*locks)[0], (*locks)[1]);
        both((*locks)[1], (*locks)[2]);
      },
      [=] { both((*locks)[2], (*locks)[0]); });
}

/// A reads, then writes B; the other writes B, then A.
void read_then_write() {
  auto* const a = new spool::SharedLock{"a"};
  auto* const b = new spool::SharedLock{"b"};
  apart(
      [=] {
        const std::shared_lock guard{*a};
        const std::lock_guard inner_guard{*b};
      },
      [=] {
        const std::lock_guard guard{*b};
        const std::lock_guard inner_guard{*a};
      });
}

void lock_and_rlock() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::RLock{"b"};
  apart(
      [=] {
        const std::lock_guard guard{*a};
        const std::lock_guard inner_guard{*b};
      },
      [=] {
        const std::lock_guard guard{*b};
        const std::lock_guard inner_guard{*a};
      });
}

void lock_and_condition() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Condition{"b"};
  apart(
      [=] {
        const std::lock_guard guard{*a};
        const std::lock_guard inner_guard{*b};
        b->notify_all();
      },
      [=] {
        const std::lock_guard guard{*b};
        const std::lock_guard inner_guard{*a};
      });
}

struct Account {
  spool::Lock lock{"account"};
};

/// Locks of one class, by argument order.
void transfers() {
  auto* const accounts = new std::array<Account, 2>{};
  const auto transfer = [=](std::size_t from, std::size_t to) {
    const std::lock_guard guard{(*accounts)[from].lock};
    const std::lock_guard inner_guard{(*accounts)[to].lock};
  };
  apart([=] { transfer(0, 1); }, [=] { transfer(1, 0); });
}

/// By main and a thread.
void main_and_worker() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  auto* const done = new std::latch{1};
  start("worker", [=] {
    a->lock();
    b->lock();
    b->unlock();
    a->unlock();
    done->count_down();
    serve();
  });
  done->wait();
  b->lock();
  a->lock();
  a->unlock();
  b->unlock();
  serve();
}

/// Not released in the order of the scopes.
void overlapping() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  const auto overlap = [](spool::Lock& first, spool::Lock& second) {
    first.lock();
    second.lock();
    first.unlock();
    second.unlock();
  };
  apart([=] { overlap(*a, *b); }, [=] { overlap(*b, *a); });
}

/// Several times, among much that is in order.
void once_in_many() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  apart(
      [=] {
        for (int i = 0; i < 100; ++i) {
          const std::lock_guard guard{*a};
          const std::lock_guard inner_guard{*b};
        }
      },
      [=] {
        for (int i = 0; i < 100; ++i) {
          const bool other_way = i == 50;
          const std::lock_guard guard{other_way ? *b : *a};
          const std::lock_guard inner_guard{other_way ? *a : *b};
        }
      });
}

/// A gate around one of the two only.
void half_a_gate() {
  auto* const gate = new spool::Lock{"gate"};
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  apart(
      [=] {
        const std::lock_guard outer{*gate};
        const std::lock_guard guard{*a};
        const std::lock_guard inner_guard{*b};
      },
      [=] {
        const std::lock_guard guard{*b};
        const std::lock_guard inner_guard{*a};
      });
}

/// Between tasks of a pool.
void between_tasks() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  auto* const pool = new spool::ThreadPool{2, {.name = "worker"}};
  auto* const first_done = new std::latch{1};
  auto* const second_done = new std::latch{1};
  (void)pool->submit([=] {
    {
      const std::lock_guard guard{*a};
      const std::lock_guard inner_guard{*b};
    }
    first_done->count_down();
    second_done->wait();
  });
  (void)pool->submit([=] {
    first_done->wait();
    {
      const std::lock_guard guard{*b};
      const std::lock_guard inner_guard{*a};
    }
    second_done->count_down();
  });
  second_done->wait();
  serve();
}

/// The second lock of one of them with a limit: the other one may still get stuck for as long.
void one_way_without_limit() {
  auto* const a = new spool::Lock{"a"};
  auto* const b = new spool::Lock{"b"};
  auto* const c = new spool::Lock{"c"};
  const auto both = [](spool::Lock& outer, spool::Lock& inner) {
    const std::lock_guard guard{outer};
    const std::lock_guard inner_guard{inner};
  };
  apart(
      [=] {
        both(*a, *b);
        if (c->try_lock_for(1s)) c->unlock();
      },
      [=] { both(*b, *a); });
}

}  // namespace

Programs could_deadlock() {
  return {
      {"could_locks", inversion<spool::Lock>},
      {"could_rlocks", inversion<spool::RLock>},
      {"could_writers", inversion<spool::SharedLock>},
      {"could_three", inversion_of_three},
      {"could_read_write", read_then_write},
      {"could_lock_rlock", lock_and_rlock},
      {"could_condition", lock_and_condition},
      {"could_transfers", transfers},
      {"could_main", main_and_worker},
      {"could_overlap", overlapping},
      {"could_once_in_many", once_in_many},
      {"could_half_gate", half_a_gate},
      {"could_tasks", between_tasks},
      {"could_beside_limit", one_way_without_limit},
      {"could_again", [] { inversion<spool::Lock>(); }},
  };
}

}  // namespace corpus
