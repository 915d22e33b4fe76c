// The system calls that wait: their names, and what may be put in the place of the result of one that is ended. In C,
// because their numbers differ from processor to processor, and some exist on a few only.
#include "CProcessHooks.h"

#include <stddef.h>
#include <sys/syscall.h>

struct call {
  long number;
  const char *name;
  enum process_hooks_call_kind kind;
};

#define CALL(name, kind) {SYS_##name, #name, process_hooks_call_##kind}

static const struct call calls[] = {
    // What may end as if its time were over.
    CALL(clock_nanosleep, sleeps), CALL(nanosleep, sleeps), CALL(epoll_pwait, sleeps),
#ifdef SYS_epoll_wait
    CALL(epoll_wait, sleeps),
#endif
#ifdef SYS_epoll_pwait2
    CALL(epoll_pwait2, sleeps),
#endif
#ifdef SYS_poll
    CALL(poll, polls),
#endif
    CALL(ppoll, polls),
#ifdef SYS_select
    CALL(select, selects),
#endif
    CALL(pselect6, selects),
    // What may fail.
    CALL(read, fails), CALL(readv, fails), CALL(pread64, fails), CALL(preadv, fails), CALL(write, fails),
    CALL(writev, fails), CALL(pwrite64, fails), CALL(pwritev, fails), CALL(openat, fails),
#ifdef SYS_open
    CALL(open, fails),
#endif
    CALL(recvfrom, fails), CALL(recvmsg, fails), CALL(recvmmsg, fails), CALL(sendto, fails), CALL(sendmsg, fails),
    CALL(sendmmsg, fails), CALL(accept, fails), CALL(accept4, fails), CALL(connect, fails), CALL(wait4, fails),
    CALL(waitid, fails), CALL(flock, fails), CALL(fcntl, fails), CALL(rt_sigtimedwait, fails),
    CALL(mq_timedsend, fails), CALL(mq_timedreceive, fails), CALL(sendfile, fails), CALL(splice, fails),
#ifdef SYS_getrandom
    CALL(getrandom, fails),
#endif
    // A lock, or anything that is made of one.
    CALL(futex, locks),
    // What is only told that a signal came.
    CALL(rt_sigsuspend, other), CALL(close, other), CALL(fsync, other), CALL(fdatasync, other), CALL(ioctl, other),
    CALL(msgrcv, other), CALL(msgsnd, other), CALL(semtimedop, other), CALL(io_getevents, other), CALL(ptrace, other),
#ifdef SYS_pause
    CALL(pause, other),
#endif
#ifdef SYS_semop
    CALL(semop, other),
#endif
#ifdef SYS_io_uring_enter
    CALL(io_uring_enter, other),
#endif
};

static const struct call *find(long number) {
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
    if (calls[i].number == number) return &calls[i];
  return NULL;
}

const char *process_hooks_call_name(long number) {
  const struct call *call = find(number);
  return call == NULL ? NULL : call->name;
}

enum process_hooks_call_kind process_hooks_call_kind_of(long number) {
  const struct call *call = find(number);
  return call == NULL ? process_hooks_call_other : call->kind;
}

long process_hooks_signal_wait_call(void) { return SYS_rt_sigtimedwait; }
