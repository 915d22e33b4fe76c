// What must be C: code that runs in a forked child, where another thread may
// have held any lock of the parent, and code that runs in a signal handler.
// Nothing here allocates, locks or calls into a language runtime.
#ifndef CPROCESSHOOKS_H
#define CPROCESSHOOKS_H

#include <signal.h>
#include <stdbool.h>

/// How many descriptors can be on the table at once.
enum { process_hooks_descriptor_capacity = 8192 };

/// Puts an open descriptor on the table of those that a forked child closes, and lets exec close it, too.
/// Returns a slot number to give back later, or -1 when the table is full or the descriptor is not open.
int process_hooks_register_descriptor(int descriptor);

/// Takes a slot off the table. Safe to call after the descriptor was closed.
void process_hooks_forget_descriptor(int slot);

/// Closes, in a forked child, every descriptor on the table that still is what it was when it was registered.
void process_hooks_close_descriptors_in_child(void);

/// How many descriptors are on the table.
int process_hooks_descriptor_count(void);

/// Sends one byte to `descriptor` when SIGTERM arrives in this process, instead of ending it.
/// Does nothing and returns false when the signal is already handled or ignored.
/// In a forked child the handler restores the default and lets the signal end the child.
bool process_hooks_watch_sigterm(int descriptor);

/// Gives SIGTERM its default action back, if the handler is still ours.
void process_hooks_unwatch_sigterm(void);

/// Gives SIGTERM its default action back and sends it to this process, which ends it.
void process_hooks_end_by_sigterm(void);

/// Blocks every signal in the calling thread and stores the mask that was in force.
void process_hooks_block_signals(sigset_t *previous);

/// Puts a mask back that `process_hooks_block_signals` stored.
void process_hooks_restore_signals(const sigset_t *previous);

/// Names the calling thread, as ps(1) shows it; at most 15 bytes are kept.
void process_hooks_name_thread(const char *name);

/// The kernel's number of the calling thread: gettid(2).
int process_hooks_thread_id(void);

/// The processor time that a thread of this process has used, in nanoseconds; -1 when there is no such thread.
long long process_hooks_thread_cpu_nanoseconds(int thread);

/// Makes a pipe that is not inherited by exec and never blocks. Returns false when the system has none to give.
bool process_hooks_make_pipe(int *read_end, int *write_end);

/// Accepts a connection: a descriptor that never waits and that no program inherits, or -1 and `errno`.
int process_hooks_accept(int listener);

/// Stores what SIGPIPE does now.
void process_hooks_save_sigpipe(struct sigaction *saved);

/// Puts back what `process_hooks_save_sigpipe` stored.
void process_hooks_restore_sigpipe(const struct sigaction *saved);

/// What may be done about a thread that is in a system call.
enum process_hooks_call_kind {
  /// It may end as if its time were over: the result 0.
  process_hooks_call_sleeps,
  /// As `sleeps` when it waits for no descriptor; else it may fail. poll(2): the second argument counts descriptors.
  process_hooks_call_polls,
  /// As `polls`, for select(2): the first argument counts descriptors.
  process_hooks_call_selects,
  /// It may fail with an error of its own.
  process_hooks_call_fails,
  /// It waits for a lock. Whoever is told a lie of that may run without it.
  process_hooks_call_locks,
  /// It may be told that a signal came, and nothing else.
  process_hooks_call_other,
};

/// The name of a system call; NULL when it is none that waits.
const char *process_hooks_call_name(long number);

/// What may be done about a system call, by its number.
enum process_hooks_call_kind process_hooks_call_kind_of(long number);

/// The number of rt_sigtimedwait(2), which takes the signals that it waits for from its first argument.
long process_hooks_signal_wait_call(void);

/// What a strike came to.
enum process_hooks_strike {
  /// The call has the result that was asked for.
  process_hooks_strike_struck,
  /// The thread was not in that call any more. Nothing was changed.
  process_hooks_strike_missed,
  /// The thread did not take the signal in time. It will, and then nothing is changed.
  process_hooks_strike_unanswered,
  /// There is no signal to be had for it, or no such thread, or this processor is not known. Nothing was sent.
  process_hooks_strike_impossible,
};

/// Ends a system call that another thread of this process waits in. One strike at a time: the caller sees to that.
///
/// - thread: the kernel's number of it.
/// - instruction, stack: where it is, as /proc/self/task/TID/syscall has it; another call is left alone.
/// - result: what the call returns, a negative number of an error or 0; -EINTR leaves it as the signal makes it.
/// - unusable: the signals that must not be used, as the kernel's masks have them: bit 0 stands for signal 1.
/// - milliseconds: how long to wait for the thread.
enum process_hooks_strike process_hooks_strike(
    int thread, unsigned long instruction, unsigned long stack, long result, unsigned long long unusable,
    int milliseconds);

/// Gives a signal its default action back that arrived only after its strike had been given up.
void process_hooks_forget_strikes(void);

#endif
