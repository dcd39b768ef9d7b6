// SPDX-License-Identifier: BSD-2-Clause
// The manager's CSpace and the machine's memory: kernel objects are made and destroyed here and
// nowhere else.
//
// CSpace: a root CNode of 256 entries; entry 0 is the CNode the kernel started us with, so that
// all CPtrs of the boot info stay valid; further CNodes of the same size are added when slots run
// short.
#pragma once

#include "abi/sel4/boot_info.hpp"
#include "abi/sel4/objects.hpp"
#include "manager/slot_allocator.hpp"
#include "manager/untyped_allocator.hpp"

namespace lona::manager {

// One object that fills its block.
struct KernelObject {
  abi::CPtr cap = 0;
  BlockId block = kNoBlock;
};

// Frames of one size in one block, caps in consecutive slots. `count` is a power of two.
struct FrameRun {
  abi::CPtr first = 0;
  std::uint64_t count = 0;
  unsigned page_bits = 0;
  BlockId block = kNoBlock;

  [[nodiscard]] std::uint64_t bytes() const { return count << page_bits; }
};

class Memory final : private KernelObjects {
 public:
  Memory() : untyped_(*this, slots_) {}

  // Takes stock. False: the kernel refused one of the first objects, or there is no memory.
  [[nodiscard]] bool start(const abi::BootInfo& info);

  // `size_bits` is that of the retype call: 0 for objects of fixed size.
  [[nodiscard]] base::Expected<KernelObject, MemoryError> make(abi::ObjectType type,
                                                               unsigned size_bits = 0);
  void destroy(KernelObject& object);

  // `count` is a power of two.
  [[nodiscard]] base::Expected<FrameRun, MemoryError> make_frames(unsigned page_bits,
                                                                  std::uint64_t count);
  void destroy_frames(FrameRun& run);

  // A further cap to the same object, with fewer rights or a badge.
  [[nodiscard]] base::Expected<abi::CPtr, MemoryError> copy_cap(abi::CPtr source,
                                                                abi::CapRights rights);
  [[nodiscard]] base::Expected<abi::CPtr, MemoryError> badge_cap(abi::CPtr source,
                                                                 abi::CapRights rights,
                                                                 std::uint64_t badge);
  // An empty slot for a cap that an invocation makes.
  [[nodiscard]] base::Expected<abi::CPtr, MemoryError> take_slot();
  void drop_cap(abi::CPtr cap);

  // Adds a CNode when slots run short; called before each piece of work, never within one.
  void keep_slots_ready();

  [[nodiscard]] abi::SlotAddress address_of(abi::CPtr slot) const {
    return {root_, slot, abi::kWordBits};
  }
  [[nodiscard]] abi::CPtr root() const { return root_; }

  [[nodiscard]] std::uint64_t total_bytes() const { return untyped_.total_bytes(); }
  [[nodiscard]] std::uint64_t free_bytes() const { return untyped_.free_bytes(); }

 private:
  static constexpr unsigned kRootBits = 8;

  [[nodiscard]] abi::Error retype(abi::CPtr untyped, abi::ObjectType type, unsigned size_bits,
                                  abi::CPtr first_slot, std::uint64_t count) override;
  [[nodiscard]] abi::Error remove(abi::CPtr slot) override;
  [[nodiscard]] bool build_root(const abi::BootInfo& info);
  [[nodiscard]] bool take_stock(const abi::BootInfo& info);

  SlotAllocator slots_;
  UntypedAllocator untyped_;
  abi::CPtr root_ = 0;
  abi::CPtr root_untyped_ = 0;
  unsigned leaf_bits_ = 0;  // of every CNode below the root
  std::uint64_t leaves_ = 1;
};

}  // namespace lona::manager
