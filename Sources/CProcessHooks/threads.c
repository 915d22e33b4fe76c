// Threads: what the kernel knows of one by its number. glibc has clocks only for threads it has a handle of, which
// is not valid any more once the thread has ended.
#define _GNU_SOURCE
#include "CProcessHooks.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int process_hooks_thread_id(void) { return (int)syscall(SYS_gettid); }

long long process_hooks_thread_cpu_nanoseconds(int thread) {
  // The kernel's encoding of a clock that belongs to a thread: the number's complement, and the kind in three bits.
  enum { per_thread = 4, scheduled_time = 2 };
  clockid_t clock = (clockid_t)((~(unsigned)thread) << 3 | per_thread | scheduled_time);
  struct timespec time;
  if (thread <= 0 || clock_gettime(clock, &time) != 0) return -1;
  return (long long)time.tv_sec * 1000000000LL + time.tv_nsec;
}
