// The table of descriptors that a forked child closes.
//
// A slot is claimed and released with atomics only, so the child may read it whatever the parent's
// threads were doing at the moment of the fork. A descriptor is closed in the child only if it is still
// the same file (device and inode): between our close and our `forget` the number may have been given to
// a file of the host, which must live.
#include "CProcessHooks.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

struct slot {
  _Atomic int descriptor_plus_one;  // 0 = free, -1 = being filled in, else descriptor + 1
  dev_t device;
  ino_t inode;
};

static struct slot table[process_hooks_descriptor_capacity];
static _Atomic int count;
static _Atomic unsigned next_hint;

int process_hooks_register_descriptor(int descriptor) {
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) != 0) return -1;
  // NIO leaves its descriptors open across exec, and system(3) runs no fork hook.
  int flags = fcntl(descriptor, F_GETFD);
  if (flags >= 0) fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC);
  unsigned start = atomic_load(&next_hint);
  for (unsigned i = 0; i < process_hooks_descriptor_capacity; i++) {
    unsigned index = (start + i) % process_hooks_descriptor_capacity;
    int expected = 0;
    if (atomic_compare_exchange_strong(&table[index].descriptor_plus_one, &expected, -1)) {
      table[index].device = status.st_dev;
      table[index].inode = status.st_ino;
      atomic_store(&table[index].descriptor_plus_one, descriptor + 1);
      atomic_store(&next_hint, index + 1);
      atomic_fetch_add(&count, 1);
      return (int)index;
    }
  }
  return -1;
}

void process_hooks_forget_descriptor(int slot) {
  if (slot < 0 || slot >= process_hooks_descriptor_capacity) return;
  if (atomic_exchange(&table[slot].descriptor_plus_one, 0) != 0) atomic_fetch_sub(&count, 1);
}

int process_hooks_descriptor_count(void) { return atomic_load(&count); }

void process_hooks_close_descriptors_in_child(void) {
  for (int i = 0; i < process_hooks_descriptor_capacity; i++) {
    int value = atomic_exchange(&table[i].descriptor_plus_one, 0);
    if (value <= 0) continue;
    struct stat status;
    if (fstat(value - 1, &status) != 0) continue;
    if (status.st_dev != table[i].device || status.st_ino != table[i].inode) continue;
    close(value - 1);
  }
  atomic_store(&count, 0);
}
