// SPDX-License-Identifier: MIT
//
// A thread of ours (keeper, dispatcher): no identity, all signals blocked, so that the server's handlers never run on it.
#pragma once

#include <pthread.h>

namespace spool::log {

class HiddenThread {
 public:
  /// False when the system makes no thread.
  bool start(const char* name, void (*run)());
  /// Waits for its end; nothing if it was not started.
  void join();
  bool is_calling() const { return running_ && pthread_equal(thread_, pthread_self()) != 0; }
  /// After fork, in the child: the thread does not exist there.
  void forget() { running_ = false; }

 private:
  pthread_t thread_{};
  bool running_ = false;
};

/// Is the calling thread one of ours?
bool is_hidden_thread();

}  // namespace spool::log
