// SPDX-License-Identifier: BSD-2-Clause
// A realm: address space, capability space, endpoint, time, worker threads, and the memory it was
// given. All of it is made of the realm's own Memory and goes with that.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <string_view>

#include "abi/lona/protocol.hpp"
#include "abi/lona/realm_start.hpp"
#include "manager/binary_book.hpp"
#include "manager/capability_book.hpp"
#include "manager/fault_text.hpp"
#include "manager/grants.hpp"
#include "manager/own_thread.hpp"
#include "manager/region_book.hpp"
#include "manager/vm_image.hpp"

namespace lona::manager {

// Caps to the frames of a piece of the manager's own image, one cap a page.
struct OwnPages {
  abi::CPtr first = 0;
  std::uint64_t count = 0;
};

struct ConsoleGrant {
  abi::ConsoleKind kind = abi::ConsoleKind::kNone;
  abi::ConsoleDevice device = abi::ConsoleDevice::kUart;
  std::uint16_t port = 0;
  abi::CPtr ports = 0;
  abi::CPtr irq = 0;
};

// What all realms are made with.
struct RealmParts {
  const VmImage& image;
  const AsidPools& asids;
  abi::CPtr sched_control;  // of the first core; those of the others follow
  std::uint64_t tsc_hertz;
  std::uint64_t wall_clock_zero;  // see abi::StartBlock
  bool iommu_labels;
};

struct RealmConfig {
  std::string_view name;
  std::uint32_t realm = 0;
  const class Realm* parent = nullptr;  // stays where it is as long as the new realm is there
  std::uint32_t depth = 0;
  ThreadShare worker;
  unsigned workers = 1;              // one on each core, from the first on
  std::uint64_t memory_reserve = 0;  // of its free memory, what the realm may not have
  std::uint64_t memory_more = 0;     // what it may get later
  unsigned cspace_bits = abi::kChildCSpaceBits;
  std::uint64_t stack_bytes = 16 << 10;  // mapped from the start; the rest when it is reached
  OwnPages archive;
  std::uint64_t archive_size = 0;
  ConsoleGrant console;
  abi::CPtr parent_signal = 0;  // wakes the parent for what is in the channel; 0: there is none
};

// A channel between two children of this realm (peer_channels.hpp).
struct PeerLink {
  struct Side {
    std::uint32_t realm = abi::kNoRealm;
    std::uint64_t number = 0;
    bool alive = false;
    abi::CPtr copies = 0;  // of the caps to its frames
  };
  std::array<Side, 2> sides;
  FrameRun frames;
};

class Realm {
 public:
  // Badges on the realm's endpoint: a request cannot pass for a fault. Above the kind of a fault is
  // the thread's number.
  static constexpr unsigned kBadgeKindBits = 8;
  static constexpr std::uint64_t kBadgeKinds = (1 << kBadgeKindBits) - 1;
  static constexpr std::uint64_t kRequestBadge = 1;
  static constexpr std::uint64_t kFaultBadge = 2;
  static constexpr std::uint64_t kStopBadge = 3;  // of the manager itself

  struct Tables {
    std::span<KernelObject> page_tables;
    GrantSpans grants;
    GrantSpans level_grants;
    std::span<abi::CPtr> copies;  // of caps to frames that it shares
    std::span<BlockId> objects;   // one for each of its object slots
  };

  Realm(Memory& memory, Tables tables)
      : memory_(memory),
        space_(tables.page_tables),
        grants_(tables.grants),
        level_grants_(tables.level_grants),
        copies_(tables.copies),
        objects_(tables.objects) {
    std::ranges::fill(objects_, kNoBlock);
  }

  // Nothing, or in words what failed.
  [[nodiscard]] base::Expected<void, std::string_view> build(Window& window,
                                                             const RealmParts& parts,
                                                             const RealmConfig& config);
  [[nodiscard]] bool run();
  // Stops the worker; a device of its own is made quiet for good.
  void halt();
  void suspend();

  // A worker that has faulted goes on at `entry` (abi::kLastWordsEntry), alone.
  [[nodiscard]] bool let_speak(std::uint64_t worker, abi::Address entry);
  // The thread's system call ends with abi::kCallFailed instead of what it asked for. Its number is
  // a worker's, or a helper's from abi::kFirstHelper on.
  [[nodiscard]] bool end_call(std::uint64_t thread);

  [[nodiscard]] abi::Status map_pages(const PageRange& pages);
  [[nodiscard]] abi::Status unmap_pages(const PageRange& pages);
  // The page of the worker's stack at this address; false when that is not what the fault is about.
  [[nodiscard]] bool grow_stack(abi::Address address);
  // Maps what the ancestor has whose level this address is in, to be read. kBadAddress: there is
  // nothing like it. kOutOfMemory: no room for page tables.
  [[nodiscard]] abi::Status inherit(abi::Address address);

  // Maps a child's channel into this realm; caps to the frames go to `copies`.
  [[nodiscard]] abi::Status map_channel(std::uint64_t number, const FrameRun& frames,
                                        std::span<abi::CPtr> copies);
  // Lets this realm signal a child, and takes that away.
  [[nodiscard]] bool add_child_signal(std::uint64_t number, abi::CPtr notification);
  void drop_child_signal(std::uint64_t number);
  // A number for a child that none of the living ones has.
  [[nodiscard]] base::Expected<std::uint64_t, abi::Status> take_child_number();
  void give_child_number(std::uint64_t number) {
    child_numbers_[number / 64] &= ~(std::uint64_t{1} << (number % 64));
  }
  // The same of a channel to another child of its parent: by the parent's service thread.
  [[nodiscard]] base::Expected<std::uint64_t, abi::Status> take_peer_number();
  void give_peer_number(std::uint64_t number) {
    peer_numbers_ &= ~(std::uint64_t{1} << (number - abi::kFirstPeer));
  }
  // Maps the frames, with caps for which there are empty slots in the parent's memory.
  [[nodiscard]] abi::Status map_peer_channel(std::uint64_t number, Memory& parent,
                                             const FrameRun& frames, abi::CPtr copies);
  // Memory that a child takes counts as this realm's, as that of its own pages does.
  [[nodiscard]] bool charge(std::uint64_t bytes);
  void discharge(std::uint64_t bytes) { mapped_ -= bytes; }
  // Objects that it has asked for, and authority that only the first realm may have. With
  // `original` the realm gets a copy, and the manager keeps the capability there.
  [[nodiscard]] abi::Status make_object(const AsidPools& asids, const MakeObject& request,
                                        abi::CPtr* original);
  [[nodiscard]] abi::Status free_object(std::uint64_t slot, abi::CPtr original);
  // Gives the realm its object slots, unless it has them.
  [[nodiscard]] abi::Status prepare_objects();
  [[nodiscard]] bool slot_is_free(std::uint64_t slot) const {
    return slot < objects_.size() && objects_[slot] == kNoBlock;
  }
  [[nodiscard]] abi::Status fill_slot(std::uint64_t slot, abi::SlotAddress source,
                                      abi::CapRights rights, std::uint64_t badge);
  void empty_slot(std::uint64_t slot);
  // Of what goes from realm to realm; null: there was nothing like it yet.
  [[nodiscard]] CapabilityBook* capabilities() const { return capabilities_; }
  void use(CapabilityBook& book) { capabilities_ = &book; }
  [[nodiscard]] abi::Status make_irq_handler(const MakeIrqHandler& request);
  [[nodiscard]] abi::Status give_sched_control(const RealmParts& parts,
                                               const GiveSchedControl& request);
  [[nodiscard]] abi::Status give_ports(const GivePorts& request);
  // Helpers (realm_helpers.cpp), which stand still at first.
  [[nodiscard]] abi::Status make_helper(const RealmParts& parts, std::uint64_t number);
  [[nodiscard]] abi::Status restart_helper(const RealmParts& parts, std::uint64_t number);
  void resume_helper(std::size_t number) const;
  void suspend_helpers() const;
  void give_helpers_time(const RealmParts& parts, ThreadShare share) const;
  [[nodiscard]] std::size_t helper_count() const {
    return helper_count_.load(std::memory_order_acquire);
  }
  // The frames of a shared region of its own, in one of its windows.
  [[nodiscard]] abi::Status map_region(const FrameRun& frames, std::size_t place) {
    return map_run(frames, abi::region_window(place));
  }
  // Shared binaries (realm_binaries.cpp). The window is chosen first.
  [[nodiscard]] base::Expected<std::uint64_t, abi::Status> take_binary_place();
  void give_binary_place(std::uint64_t place) { binary_places_ &= ~(std::uint64_t{1} << place); }
  // The first of the caps by which it is mapped, made of this realm's memory; all or nothing.
  [[nodiscard]] base::Expected<abi::CPtr, abi::Status> map_binary(const FrameRun& frames,
                                                                  std::uint64_t place,
                                                                  abi::CapRights rights);
  // It can only be read from now on.
  [[nodiscard]] abi::Status seal_binary(const FrameRun& frames, std::uint64_t place,
                                        abi::CPtr copies);
  void unmap_binary(const FrameRun& frames, abi::CPtr copies) {
    memory_.drop_caps(copies, frames.count);
  }
  // The thread that faulted there goes on behind its instruction. False when the address is in no
  // window of a shared region.
  [[nodiscard]] bool skip_region_access(abi::Address address, std::uint64_t instruction);
  // Microseconds of the processor that it has used.
  [[nodiscard]] std::uint64_t time_used();
  [[nodiscard]] std::atomic<std::uint64_t>& time_counter() { return time_used_; }

  [[nodiscard]] Memory& memory() { return memory_; }
  [[nodiscard]] std::array<PeerLink, abi::kPeerLinks>& links() { return links_; }
  [[nodiscard]] RegionBook& regions_book() { return book_; }
  [[nodiscard]] BinaryBook& binaries() { return binaries_; }
  [[nodiscard]] abi::CPtr space() const { return space_.cap(); }
  [[nodiscard]] std::string_view name() const { return {name_.data(), name_length_}; }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] abi::CPtr endpoint() const { return endpoint_.cap; }
  [[nodiscard]] abi::CPtr reply() const { return reply_.cap; }
  [[nodiscard]] abi::CPtr notification() const { return workers_[0].notification.cap; }
  [[nodiscard]] abi::CPtr tcb() const { return workers_[0].tcb.cap; }
  [[nodiscard]] abi::CPtr sched_context() const { return workers_[0].sched_context.cap; }
  [[nodiscard]] abi::CPtr deadline_signal() const { return deadline_signal_; }
  [[nodiscard]] const FrameRun& channel() const { return channel_; }
  [[nodiscard]] const RegionTable& regions() const { return regions_; }
  [[nodiscard]] std::uint64_t memory_limit() const { return memory_limit_; }
  [[nodiscard]] std::uint64_t mapped() const { return mapped_; }
  // So much of its memory stays although nothing is in it, until it is mapped.
  void ask_ahead(std::uint64_t bytes) { asked_ahead_ = bytes; }
  [[nodiscard]] std::uint64_t asked_ahead() const { return asked_ahead_; }

 private:
  using Step = base::Expected<void, std::string_view>;
  [[nodiscard]] Step make_objects(const RealmParts& parts, const RealmConfig& config);
  [[nodiscard]] Step map_image(Window& window, const VmImage& image);
  [[nodiscard]] Step map_copy(abi::CPtr frame, abi::Address address, abi::CapRights rights);
  [[nodiscard]] Step map_archive(const RealmConfig& config);
  [[nodiscard]] Step map_worker_area(std::size_t worker, std::uint64_t stack_bytes);
  [[nodiscard]] Step map_console_memory(const RealmConfig& config);
  [[nodiscard]] Step map_parent_channel(const RealmConfig& config);
  [[nodiscard]] Step map_start_block(Window& window, const RealmParts& parts,
                                     const RealmConfig& config);
  [[nodiscard]] Step map_own(Window* window, const LoadedSegment& piece, FrameRun* last = nullptr);
  [[nodiscard]] Step map_frames(Window* window, const LoadedSegment& piece, FrameRun* last);
  [[nodiscard]] Step fill_cspace(const RealmConfig& config);
  struct Helper;
  [[nodiscard]] abi::Status build_helper(Helper& helper, const RealmParts& parts,
                                         std::uint64_t number);
  [[nodiscard]] abi::Error aim_helper(const Helper& helper, const RealmParts& parts,
                                      std::uint64_t number) const;
  [[nodiscard]] Step start_worker(std::size_t worker, const RealmParts& parts,
                                  const RealmConfig& config);
  [[nodiscard]] Step give_cap(std::uint64_t slot, abi::CPtr source, abi::CapRights rights,
                              std::uint64_t badge);
  // What comes before the bits of a CPtr, once it has them.
  [[nodiscard]] static abi::CNodeData cspace_guard();
  [[nodiscard]] abi::SlotAddress object_slot(std::uint64_t slot) const {
    return {object_node_.cap, slot, abi::object_bits(cspace_bits_)};
  }
  [[nodiscard]] abi::Status map_run(const FrameRun& run, abi::Address address);
  // Frames for all of it go to the table; what could not be made is taken back.
  [[nodiscard]] abi::Status fill_pages(const PageRange& pages, GrantTable& table);
  [[nodiscard]] abi::Error inherit_page(const Grant& grant, abi::Address page);

  Memory& memory_;
  std::array<char, abi::kRealmNameMax> name_{};
  std::size_t name_length_ = 0;
  std::uint32_t number_ = 0;
  std::uint32_t depth_ = 0;
  const Realm* parent_ = nullptr;
  AddressSpace space_;
  RegionTable regions_;
  GrantTable grants_;
  GrantTable level_grants_;
  std::span<abi::CPtr> copies_;
  std::size_t copy_count_ = 0;
  unsigned cspace_bits_ = 0;
  KernelObject cspace_;
  KernelObject endpoint_;
  KernelObject reply_;
  struct Worker {
    KernelObject notification;
    KernelObject tcb;
    KernelObject sched_context;
    abi::CPtr buffer_frame = 0;
    abi::CPtr fault_cap = 0;
  };
  std::array<Worker, abi::kRealmWorkersMax> workers_{};
  std::size_t worker_count_ = 0;
  struct Helper {
    KernelObject tcb;
    KernelObject sched_context;
    FrameRun pages;
    abi::CPtr fault_cap = 0;
  };
  std::array<Helper, abi::kHelperMax> helpers_{};
  std::atomic<std::size_t> helper_count_{0};  // what is below does not change any more
  abi::CPtr deadline_signal_ = 0;
  FrameRun channel_;
  RegionBook book_;
  BinaryBook binaries_;
  std::uint64_t binary_places_ = 0;  // a bit for each that is in use
  std::array<PeerLink, abi::kPeerLinks> links_{};
  std::uint64_t peer_numbers_ = 0;
  std::array<std::uint64_t, abi::kChildMax / 64> child_numbers_{};
  std::span<BlockId> objects_;  // of what it has asked for, by slots
  CapabilityBook* capabilities_ = nullptr;
  KernelObject object_node_;        // the object slots, once there are any
  KernelObject cspace_root_;        // and what joins them with the others
  std::size_t address_spaces_ = 0;  // made by request
  std::uint64_t authority_ = 0;     // priority up to which its threads may go
  ConsoleGrant console_;
  std::uint64_t console_memory_ = 0;  // physical
  std::uint64_t memory_limit_ = 0;
  std::uint64_t mapped_ = 0;
  std::uint64_t asked_ahead_ = 0;
  std::atomic<std::uint64_t> time_used_{0};
};

}  // namespace lona::manager
