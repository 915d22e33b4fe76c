// The table of descriptors that a forked child closes, as far as a parent can see it.

import CProcessHooks
import Glibc
import Testing

extension ProcessWideTests {
  @Suite struct DescriptorTableTests {
    /// A descriptor that exec would keep open.
    private func open() throws -> Int32 {
      let descriptor = dup(STDERR_FILENO)
      try #require(descriptor >= 0)
      return descriptor
    }

    @Test func aDescriptorIsCountedUntilItIsForgotten() throws {
      let before = process_hooks_descriptor_count()
      let descriptors = [try open(), try open()]
      defer { for descriptor in descriptors { close(descriptor) } }
      let slots = descriptors.map { process_hooks_register_descriptor($0) }
      #expect(slots.allSatisfy { $0 >= 0 })
      #expect(Set(slots).count == 2)
      #expect(process_hooks_descriptor_count() == before + 2)
      process_hooks_forget_descriptor(slots[0])
      process_hooks_forget_descriptor(slots[0])
      #expect(process_hooks_descriptor_count() == before + 1)
      process_hooks_forget_descriptor(slots[1])
      #expect(process_hooks_descriptor_count() == before)
    }

    @Test func aRegisteredDescriptorIsClosedByExec() throws {
      let descriptor = try open()
      defer { close(descriptor) }
      #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC == 0)
      let slot = process_hooks_register_descriptor(descriptor)
      defer { process_hooks_forget_descriptor(slot) }
      #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func whatIsNotOpenIsRefused() {
      let before = process_hooks_descriptor_count()
      #expect(process_hooks_register_descriptor(-1) == -1)
      #expect(process_hooks_register_descriptor(Int32.max) == -1)
      for slot in [-1, Int32(process_hooks_descriptor_capacity), Int32.max, Int32.min] {
        process_hooks_forget_descriptor(slot)
      }
      #expect(process_hooks_descriptor_count() == before)
    }

    @Test func aFullTableRefusesUntilASlotIsGivenBack() throws {
      let descriptor = try open()
      defer { close(descriptor) }
      var slots: [Int32] = []
      defer { for slot in slots { process_hooks_forget_descriptor(slot) } }
      let free = Int32(process_hooks_descriptor_capacity) - process_hooks_descriptor_count()
      for _ in 0..<free { slots.append(process_hooks_register_descriptor(descriptor)) }
      #expect(slots.allSatisfy { $0 >= 0 })
      #expect(process_hooks_register_descriptor(descriptor) == -1)
      process_hooks_forget_descriptor(slots.removeFirst())
      let again = process_hooks_register_descriptor(descriptor)
      #expect(again >= 0)
      slots.append(again)
    }
  }
}
