// SPDX-License-Identifier: BSD-2-Clause
// Kernel objects are made and destroyed here and nowhere else. There is one Memory for the machine,
// and one for each realm that another realm has made: that one's is a grant, one block of its
// parent's memory. All that such a realm has, and costs, is made of its grant, so revoking the
// grant's untyped takes all of it back at once, with all that the realm has given to its own
// children.
//
// A grant may get further pieces of the parent's memory; they go with it.
//
// A Memory is used by one thread at a time: by the service thread of its realm, by that of a child
// that gets a further piece, or by whoever builds the realm or takes it down. The first two claim
// it.
#pragma once

#include <atomic>

#include "manager/cspace.hpp"
#include "manager/slot_allocator.hpp"
#include "manager/untyped_allocator.hpp"

namespace lona::manager {

// A fault that can be served needs no more than this.
inline constexpr std::uint64_t kSpareBytes = 256 << 10;

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

// Where the allocators keep what they know.
struct MemoryTables {
  std::span<SlotAllocator::Page> slot_pages;
  std::span<UntypedAllocator::Block> blocks;
};

class Memory final : private KernelObjects {
 public:
  Memory(CSpace& cspace, MemoryTables tables)
      : cspace_(cspace), slots_(tables.slot_pages), untyped_(*this, slots_, tables.blocks) {}

  // The machine's: takes stock. False: there is no memory.
  [[nodiscard]] bool start(const abi::BootInfo& info);

  // A grant of 2^size_bits bytes out of the parent's memory; the parent also pays for its first
  // CNode. Ending it takes back everything that was made of it: what the kernel does in many
  // preemptible steps.
  [[nodiscard]] base::Expected<void, MemoryError> start_grant(Memory& parent, unsigned size_bits);
  void end_grant(Memory& parent);
  // A further piece of 2^size_bits bytes.
  [[nodiscard]] base::Expected<void, MemoryError> add_to_grant(Memory& parent, unsigned size_bits);
  // The other way: gives a piece that nothing of is in use back, while so much stays free. Its
  // bytes; 0: there is none.
  [[nodiscard]] std::uint64_t take_from_grant(Memory& parent, std::uint64_t stays_free);
  // What a grant of that size takes from the parent.
  [[nodiscard]] static std::uint64_t grant_cost(unsigned size_bits) {
    return (std::uint64_t{1} << size_bits) +
           (std::uint64_t{1} << (kGrantNodeBits + abi::kSlotBits));
  }

  // `size_bits` is that of the retype call: 0 for objects of fixed size.
  [[nodiscard]] base::Expected<KernelObject, MemoryError> make(abi::ObjectType type,
                                                               unsigned size_bits = 0);
  void destroy(KernelObject& object);
  // Moves the object's only cap into a slot of somebody else's; the block remains ours.
  [[nodiscard]] abi::Error hand_over(KernelObject& object, abi::SlotAddress target);
  // Ends what became of a block that was handed over: its bytes, which are free again.
  std::uint64_t take_back(BlockId block);
  // Bytes that make() takes.
  [[nodiscard]] static std::uint64_t cost(abi::ObjectType type, unsigned size_bits);

  // `count` is a power of two.
  [[nodiscard]] base::Expected<FrameRun, MemoryError> make_frames(unsigned page_bits,
                                                                  std::uint64_t count);
  void destroy_frames(FrameRun& run);
  // The same in two steps, of which only one needs the claim. What the kernel does for long, to
  // zero the frames and to revoke them with all copies of their caps, is done by whom they are for.
  [[nodiscard]] base::Expected<FrameRun, MemoryError> reserve_frames(unsigned page_bits,
                                                                     std::uint64_t count);
  [[nodiscard]] bool fill_frames(const FrameRun& run);  // all or nothing, without the claim
  void empty_frames(const FrameRun& run);               // without the claim
  void give_frames(const FrameRun& run);                // which were emptied, or never filled

  // A further cap to the same object, with fewer rights or a badge.
  [[nodiscard]] base::Expected<abi::CPtr, MemoryError> copy_cap(abi::CPtr source,
                                                                abi::CapRights rights);
  [[nodiscard]] base::Expected<abi::CPtr, MemoryError> badge_cap(abi::CPtr source,
                                                                 abi::CapRights rights,
                                                                 std::uint64_t badge);
  // An empty slot for a cap that an invocation makes.
  [[nodiscard]] base::Expected<abi::CPtr, MemoryError> take_slot();
  void drop_cap(abi::CPtr cap);
  // Empty slots side by side, and what is in such.
  [[nodiscard]] std::optional<abi::CPtr> take_slots(std::uint64_t count) {
    return slots_.take(count);
  }
  void drop_caps(abi::CPtr first, std::uint64_t count);

  // Adds CNodes when fewer slots than that are empty; called before each piece of work, never
  // within one.
  void keep_slots_ready(std::uint64_t wanted);

  // Why something could not be made: more memory would not help, since the tables are full.
  [[nodiscard]] bool is_full(MemoryError error) const {
    return error == MemoryError::out_of_blocks ||
           (error == MemoryError::out_of_slots && (leaf_count_ == kMaxLeaves || !slots_.can_add()));
  }

  [[nodiscard]] abi::SlotAddress address_of(abi::CPtr slot) const {
    return cspace_.address_of(slot);
  }
  [[nodiscard]] CSpace& cspace() { return cspace_; }

  [[nodiscard]] bool try_claim() {
    abi::Word nobody = 0;
    return claimer_.compare_exchange_strong(nobody, this_thread(), std::memory_order_acquire);
  }
  // Whoever has it lets it go soon.
  void claim() {
    while (!try_claim()) {
      abi::yield();
    }
  }
  void release() { claimer_.store(0, std::memory_order_release); }
  // For a thread that stands still.
  [[nodiscard]] bool claimed_by(abi::Word thread) const {
    return claimer_.load(std::memory_order_relaxed) == thread;
  }

  [[nodiscard]] std::uint64_t total_bytes() const { return untyped_.total_bytes(); }
  [[nodiscard]] std::uint64_t free_bytes() const { return untyped_.free_bytes(); }

 private:
  static constexpr unsigned kGrantNodeBits = 9;
  static constexpr std::size_t kMaxLeaves = 48;
  static constexpr std::uint64_t kLeavesForALevel = 64;
  static constexpr std::size_t kMaxPieces = 24;

  [[nodiscard]] abi::Error retype(abi::CPtr untyped, abi::ObjectType type, unsigned size_bits,
                                  abi::CPtr first_slot, std::uint64_t count) override;
  [[nodiscard]] abi::Error remove(abi::CPtr slot) override;
  [[nodiscard]] bool add_node(abi::CPtr node, unsigned bits);

  CSpace& cspace_;
  SlotAllocator slots_;
  UntypedAllocator untyped_;
  // Of a grant: its block and its first CNode, both the parent's.
  BlockId grant_ = kNoBlock;
  KernelObject node_;
  std::array<BlockId, kMaxPieces> pieces_{};
  std::size_t piece_count_ = 0;
  // Entries of the CSpace that hold its slots.
  std::array<abi::Word, kMaxLeaves> leaves_{};
  std::size_t leaf_count_ = 0;
  std::uint64_t leaves_kept_ = 0;  // entries of the CSpace that are left for those above
  std::atomic<abi::Word> claimer_{0};
};

class MemoryClaim {
 public:
  explicit MemoryClaim(Memory& memory) : memory_(memory) { memory_.claim(); }
  ~MemoryClaim() { memory_.release(); }
  MemoryClaim(const MemoryClaim&) = delete;
  MemoryClaim& operator=(const MemoryClaim&) = delete;

 private:
  Memory& memory_;
};

}  // namespace lona::manager
