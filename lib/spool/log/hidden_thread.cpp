// SPDX-License-Identifier: MIT
#include <spool/log/hidden_thread.hpp>

#include <signal.h>

namespace spool::log {

void* HiddenThread::enter(void* self) {
  const auto* thread = static_cast<const HiddenThread*>(self);
  thread->run_(thread->argument_);
  return nullptr;
}

bool HiddenThread::start(const char* name, void (*run)(void*), void* argument) {
  sigset_t all{};
  sigset_t before{};
  sigfillset(&all);
  sigdelset(&all, SIGBUS);  // of its own stores: a thread that blocks it is killed
  pthread_sigmask(SIG_SETMASK, &all, &before);
  run_ = run;
  argument_ = argument;
  running_ = pthread_create(&thread_, nullptr, &enter, this) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (running_) pthread_setname_np(thread_, name);
  return running_;
}

void HiddenThread::join() {
  if (running_) pthread_join(thread_, nullptr);
  running_ = false;
}

}  // namespace spool::log
