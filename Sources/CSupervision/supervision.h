// What a supervisor asks of Linux by functions that take any number of arguments, which Swift cannot call.
#ifndef REPLTOOLS_SUPERVISION_H
#define REPLTOOLS_SUPERVISION_H

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/// A descriptor that can be read when a process has ended, closed by exec; -1 where there is none: pidfd_open(2).
static inline int supervision_process_descriptor(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }

/// Becomes the parent of what its children leave behind: PR_SET_CHILD_SUBREAPER of prctl(2).
static inline void supervision_adopt_orphans(void) { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

/// Has the kernel send this process a signal when its parent ends, also after an exec: PR_SET_PDEATHSIG of prctl(2).
static inline void supervision_end_with_parent(int signal) { prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0); }

#endif
