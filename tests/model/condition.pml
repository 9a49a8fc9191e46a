/* SPDX-License-Identifier: MIT
 *
 * Condition, as lib/spool/sync has it: a queue of waiters under the user's lock, each with a word of its own on which
 * notify, deadline and stop decide by one compare-and-swap.
 * A consumer waits for an item; a bystander waits with a deadline, and passes a notification on; a producer makes the item
 * and notifies one.
 *
 * Checked: the consumer gets the item (no lost wake-up), nobody sleeps for ever, and the queue is empty at the end. Each mutation must be caught:
 *   COUNT_THE_GONE     a notification is spent on a waiter that has timed out
 *   QUEUE_AFTER_LOCK   the waiter enters the queue after it let the lock go
 *   SLEEP_UNCONDITIONALLY  the kernel does not compare the word before it sleeps
 */
#define CONSUMERS 2
#define WAITING 0
#define NOTIFIED 1
#define GONE 2

bool locked = false;
byte items = 0;
byte word[CONSUMERS];
bool asleep[CONSUMERS];
chan queue = [CONSUMERS] of { byte };
byte finished = 0;

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

/* decided: this CAS was the one */
inline decide(who, outcome) {
  atomic {
    if
    :: word[who] == WAITING -> word[who] = outcome; decided = true
    :: else -> decided = false
    fi
  }
}

inline enqueue() {
  word[me] = WAITING;
  queue!me
}

inline wait_once() {
#ifndef QUEUE_AFTER_LOCK
  enqueue();
#endif
  unlock();
#ifdef QUEUE_AFTER_LOCK
  enqueue();
#endif
  do
  :: word[me] != WAITING -> break
  :: else ->
#ifdef SLEEP_UNCONDITIONALLY
    asleep[me] = true;
#else
    atomic {
      if
      :: word[me] == WAITING -> asleep[me] = true
      :: else
      fi
    }
#endif
    if
    :: !asleep[me]
    :: timed -> atomic { asleep[me] = false } decide(me, GONE); skip
    fi
  od;
  lock();
  /* a waiter that is gone may be in the queue still */
  if
  :: queue??[eval(me)] -> queue??eval(me)
  :: else
  fi
}

/* Under the lock: the first waiter that has not given up is woken. */
inline notify_one() {
  do
  :: queue?[who] ->
    queue?who;
    decide(who, NOTIFIED);
#ifdef COUNT_THE_GONE
    decided = true;
#endif
    if
    :: decided -> asleep[who] = false; break
    :: else
    fi
  :: empty(queue) -> break
  od
}

/* Waits for the item. */
proctype consumer(byte me) {
  bool decided, timed = false;
  lock();
  do
  :: items > 0 -> items--; break
  :: else -> wait_once()
  od;
  unlock();
  finished++
}

/* Waits once, with a deadline. If it is notified it passes that on, having no use for the item. */
proctype bystander(byte me) {
  byte who;
  bool decided, timed = true;
  lock();
  wait_once();
  if
  :: word[me] == NOTIFIED -> notify_one()
  :: else
  fi;
  unlock();
  finished++
}

proctype producer() {
  byte who;
  bool decided;
  lock();
  items++;
  notify_one();
  unlock();
  finished++
}

init {
  atomic { run consumer(0); run bystander(1); run producer() }
  finished == 3;
  assert(empty(queue))
}
