// Signals: a SIGTERM that is told to the event loop, and masks for the server's own threads.
#define _GNU_SOURCE
#include "CProcessHooks.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static _Atomic int wake_descriptor = -1;
static _Atomic int owner;

static void on_sigterm(int number) {
  int saved = errno;
  int descriptor = atomic_load(&wake_descriptor);
  if (getpid() != atomic_load(&owner) || descriptor < 0) {
    // A forked child that has not exec'ed: the signal does what it did before us.
    signal(number, SIG_DFL);
    raise(number);
  } else {
    char byte = 1;
    ssize_t ignored = write(descriptor, &byte, 1);
    (void)ignored;
  }
  errno = saved;
}

bool process_hooks_watch_sigterm(int descriptor) {
  struct sigaction now, ours;
  if (sigaction(SIGTERM, NULL, &now) != 0) return false;
  if ((now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL) return false;
  atomic_store(&owner, getpid());
  atomic_store(&wake_descriptor, descriptor);
  memset(&ours, 0, sizeof ours);
  ours.sa_handler = on_sigterm;
  ours.sa_flags = SA_RESTART;  // the host's system calls go on as if nothing had happened
  sigemptyset(&ours.sa_mask);
  return sigaction(SIGTERM, &ours, NULL) == 0;
}

void process_hooks_unwatch_sigterm(void) {
  struct sigaction now;
  if (sigaction(SIGTERM, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == on_sigterm)
    signal(SIGTERM, SIG_DFL);
  atomic_store(&wake_descriptor, -1);
}

void process_hooks_end_by_sigterm(void) {
  process_hooks_unwatch_sigterm();
  kill(getpid(), SIGTERM);
}

void process_hooks_block_signals(sigset_t *previous) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, previous);
}

void process_hooks_restore_signals(const sigset_t *previous) { pthread_sigmask(SIG_SETMASK, previous, NULL); }

void process_hooks_name_thread(const char *name) {
  char short_name[16] = {0};
  strncpy(short_name, name, sizeof short_name - 1);
  pthread_setname_np(pthread_self(), short_name);
}

bool process_hooks_make_pipe(int *read_end, int *write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  *read_end = ends[0];
  *write_end = ends[1];
  return true;
}

int process_hooks_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

void process_hooks_save_sigpipe(struct sigaction *saved) { sigaction(SIGPIPE, NULL, saved); }

void process_hooks_restore_sigpipe(const struct sigaction *saved) { sigaction(SIGPIPE, saved, NULL); }
