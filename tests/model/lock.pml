/* SPDX-License-Identifier: MIT
 *
 * Lock, as lib/spool/sync has it: the word (owner and waiters bit), the kernel's queue of sleepers, barging, timeouts.
 * Three threads lock and unlock; the last one may give up at any moment while it sleeps.
 *
 * Checked: never two inside; nobody sleeps for ever (spin's "invalid end state"). Each mutation must be caught:
 *   NO_BIT_AFTER_SLEEP   who has slept takes the lock without the waiters bit: other sleepers are forgotten
 *   LEAVE_QUIETLY        who gives up does not set the waiters bit again: it may have eaten the only wake-up
 *   WAKE_NOBODY          a release with waiters does not wake
 *   LOOK_THEN_TAKE       free is seen, and taken in a second step
 */
#define THREADS 3
#define ROUNDS 2

byte owner = 0;        /* 0: free */
bool waiters = false;  /* the bit in the same word */
bool asleep[THREADS];
byte inside = 0;

/* The kernel's choice: any sleeper. */
inline unpark_one() {
  atomic {
    if
    :: asleep[0] -> asleep[0] = false
    :: asleep[1] -> asleep[1] = false
    :: asleep[2] -> asleep[2] = false
    :: else
    fi
  }
}

inline take_if_free(mark) {
#ifdef LOOK_THEN_TAKE
  taken = (owner == 0);
  if
  :: taken -> owner = me; waiters = mark
  :: else
  fi
#else
  atomic {
    if
    :: owner == 0 -> owner = me; waiters = mark; taken = true
    :: else -> taken = false
    fi
  }
#endif
}

/* held: whether the word was not free, and has the bit now */
inline register_waiter() {
  atomic {
    if
    :: owner == 0 -> held = false
    :: else -> waiters = true; held = true; seen = owner
    fi
  }
}

proctype thread(byte me; bool may_give_up) {
  byte round = 0, seen = 0;
  bool taken, held, slept, in_time, got;
  do
  :: round == ROUNDS -> break
  :: else ->
    round++;
    slept = false;
    in_time = true;
    got = false;
    take_if_free(false);
    if
    :: taken -> got = true
    :: else ->
      do
      :: register_waiter();
        if
        :: !held ->
#ifdef NO_BIT_AFTER_SLEEP
          take_if_free(false);
#else
          take_if_free(slept);
#endif
          if
          :: taken -> got = true; break
          :: else
          fi
        :: held && !in_time ->
          /* give_up: the bit is set again by register_waiter */
          break
        :: else ->
          /* park: the kernel compares, and sleeps, in one step */
          atomic {
            if
            :: owner == seen && waiters -> asleep[me - 1] = true
            :: else
            fi
          }
          slept = true;
          if
          :: !asleep[me - 1]
          :: may_give_up ->
            atomic { asleep[me - 1] = false; in_time = false }
#ifdef LEAVE_QUIETLY
            break
#endif
          fi
        fi
      od
    fi;
    if
    :: got ->
      inside++;
      assert(inside == 1);
      inside--;
      /* release: one exchange, then the wake */
      atomic { held = waiters; owner = 0; waiters = false }
      if
#ifndef WAKE_NOBODY
      :: held -> unpark_one()
#endif
      :: else
      fi
    :: else
    fi
  od
}

init {
  atomic { run thread(1, false); run thread(2, false); run thread(3, true) }
}
