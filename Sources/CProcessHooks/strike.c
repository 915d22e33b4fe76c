// The strike: ends one system call of one other thread of this process, as if the call itself had failed.
//
// A signal without SA_RESTART ends a call with -EINTR, before the kernel has done anything for it. CPython makes such
// a call again, but not one that ended otherwise, so the handler puts another result in the place of this one. Nothing
// else of the process is touched: no descriptor, no lock, no handler of the host. The handler is there only while a
// strike is under way.
#define _GNU_SOURCE
#include "CProcessHooks.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__x86_64__)
#define CAN_STRIKE 1
#define RESULT(c) ((c)->uc_mcontext.gregs[REG_RAX])
#define INSTRUCTION(c) ((uintptr_t)(c)->uc_mcontext.gregs[REG_RIP])
#define STACK(c) ((uintptr_t)(c)->uc_mcontext.gregs[REG_RSP])
#elif defined(__aarch64__)
#define CAN_STRIKE 1
#define RESULT(c) ((c)->uc_mcontext.regs[0])
#define INSTRUCTION(c) ((uintptr_t)(c)->uc_mcontext.pc)
#define STACK(c) ((uintptr_t)(c)->uc_mcontext.sp)
#else
#define CAN_STRIKE 0
#endif

#if CAN_STRIKE

enum state { idle, armed, deciding, struck, missed };

// The one request. Everything but the state is written before it is armed, and read by the handler after that.
static struct {
  _Atomic uint32_t state;
  _Atomic(const char *) token;
  uintptr_t instruction, stack;
  long result;
} request;

// A signal of ours carries the address of one of these: which request it belongs to, and that it is ours.
static const char tokens[256];
static unsigned next_token;

// Signals that were sent, and those that have arrived: while they differ the handler must stay, because the default
// action of the signal ends the process.
static unsigned sent;
static _Atomic unsigned arrived;
static int installed;  // the signal that has our handler; 0 = none

static void handle(int number, siginfo_t *info, void *context) {
  (void)number;
  const char *token = info->si_value.sival_ptr;
  if (info->si_code != SI_QUEUE || (uintptr_t)token - (uintptr_t)tokens >= sizeof tokens) return;
  int saved = errno;
  // From here on it does not matter any more what the signal's action is.
  atomic_fetch_add(&arrived, 1);
  uint32_t expected = armed;
  if (token == atomic_load(&request.token) && atomic_compare_exchange_strong(&request.state, &expected, deciding)) {
    ucontext_t *c = context;
    // The call was cut short by this very signal, and it is the one that was looked at.
    int is_it = (long)RESULT(c) == -EINTR && INSTRUCTION(c) == request.instruction && STACK(c) == request.stack;
    if (is_it) RESULT(c) = request.result;
    atomic_store(&request.state, is_it ? struck : missed);
    syscall(SYS_futex, &request.state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  }
  errno = saved;
}

static bool install(int number) {
  struct sigaction ours, before;
  memset(&ours, 0, sizeof ours);
  ours.sa_sigaction = handle;
  // On the thread's own signal stack, if it has one: a host may have threads whose stacks are small.
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  if (sigaction(number, &ours, &before) != 0) return false;
  if ((before.sa_flags & SA_SIGINFO) || before.sa_handler != SIG_DFL) {
    // Somebody took it between our look and this.
    sigaction(number, &before, NULL);
    return false;
  }
  installed = number;
  return true;
}

// The highest real-time signal that nobody handles, or the one that still has our handler.
static int choose(unsigned long long unusable) {
  if (installed != 0) return (unusable >> (installed - 1)) & 1 ? 0 : installed;
  for (int number = SIGRTMAX; number >= SIGRTMIN; number--) {
    struct sigaction now;
    if ((unusable >> (number - 1)) & 1) continue;
    if (sigaction(number, NULL, &now) != 0 || (now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL) continue;
    if (install(number)) return number;
  }
  return 0;
}

static void remove_if_done(void) {
  if (installed == 0 || atomic_load(&arrived) != sent) return;
  struct sigaction now;
  if (sigaction(installed, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == handle)
    signal(installed, SIG_DFL);
  installed = 0;
}

static void wait_while(uint32_t state, long milliseconds) {
  struct timespec start, now;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (;;) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    long passed = (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
    if (atomic_load(&request.state) != state || passed >= milliseconds) return;
    struct timespec left = {(milliseconds - passed) / 1000, (milliseconds - passed) % 1000 * 1000000};
    syscall(SYS_futex, &request.state, FUTEX_WAIT_PRIVATE, state, &left, NULL, 0);
  }
}

enum process_hooks_strike process_hooks_strike(
    int thread, unsigned long instruction, unsigned long stack, long result, unsigned long long unusable,
    int milliseconds) {
  int number = choose(unusable);
  if (number == 0) return process_hooks_strike_impossible;
  const char *token = &tokens[next_token++ % sizeof tokens];
  request.instruction = instruction;
  request.stack = stack;
  request.result = result;
  atomic_store(&request.token, token);
  atomic_store(&request.state, armed);

  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_signo = number;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = getuid();
  info.si_value.sival_ptr = (void *)token;
  sent++;
  if (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, number, &info) != 0) {
    sent--;
    atomic_store(&request.state, idle);
    remove_if_done();
    return process_hooks_strike_impossible;
  }
  wait_while(armed, milliseconds);
  uint32_t expected = armed;
  // Withdrawn: a signal that is late does nothing. One that is being handled is waited for: it takes a few instructions.
  if (!atomic_compare_exchange_strong(&request.state, &expected, idle))
    while (atomic_load(&request.state) == deciding) wait_while(deciding, 1000);
  uint32_t state = atomic_exchange(&request.state, idle);
  remove_if_done();
  return state == struck ? process_hooks_strike_struck : state == missed ? process_hooks_strike_missed
                                                                         : process_hooks_strike_unanswered;
}

void process_hooks_forget_strikes(void) { remove_if_done(); }

#else

enum process_hooks_strike process_hooks_strike(
    int thread, unsigned long instruction, unsigned long stack, long result, unsigned long long unusable,
    int milliseconds) {
  (void)thread, (void)instruction, (void)stack, (void)result, (void)unusable, (void)milliseconds;
  return process_hooks_strike_impossible;
}

void process_hooks_forget_strikes(void) {}

#endif
