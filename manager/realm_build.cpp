// SPDX-License-Identifier: BSD-2-Clause
// How a realm is built, before its first instruction.
#include "manager/realm.hpp"

#include <algorithm>
#include <cstring>

namespace lona::manager {

namespace {

using abi::Error;
using abi::ObjectType;
using abi::Status;

constexpr std::string_view kNoMemory = "there is too little memory";
constexpr std::string_view kTooMany = "its image is larger than the manager's tables";
constexpr std::uint64_t kWorkerStack = 64 << 10;
constexpr std::string_view kRefused = "the kernel refused an operation";

template <typename T>
base::Expected<T, std::string_view> in_words(base::Expected<T, MemoryError> result) {
  if (!result) {
    return base::fail(result.error() == MemoryError::refused ? kRefused : kNoMemory);
  }
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

base::Expected<void, std::string_view> check(Error error) {
  if (error == Error::kNone) {
    return {};
  }
  return base::fail(error == Error::kNotEnoughMemory ? kNoMemory : kRefused);
}

abi::CapRights map_rights(RegionRights rights) {
  return rights == RegionRights::read_write ? abi::kReadWrite : abi::kCanRead;
}

LoadedSegment piece_of(abi::AddressRange pages, RegionType type, RegionRights rights,
                       base::ByteView content) {
  LoadedSegment piece{};
  piece.pages = pages;
  piece.type = type;
  piece.rights = rights;
  piece.content = content;
  return piece;
}

}  // namespace

base::Expected<void, std::string_view> Realm::build(Window& window, const RealmParts& parts,
                                                    const RealmConfig& config) {
  name_length_ = std::min<std::size_t>(config.name.size(), name_.size());
  std::copy_n(config.name.data(), name_length_, name_.data());
  number_ = config.realm;
  depth_ = config.depth;
  parent_ = config.parent;
  cspace_bits_ = config.cspace_bits;
  // Priorities are authority over the processor, so threads of others stay at the lowest.
  authority_ = config.parent == nullptr ? config.worker.priority : 0;
  TRY(make_objects(parts, config));
  TRY(map_image(window, parts.image));
  for (std::size_t worker = 0; worker < worker_count_; ++worker) {
    // The first one also compiles; the others' stacks grow when they must.
    TRY(map_worker_area(worker, worker == 0 ? config.stack_bytes : kWorkerStack));
  }
  TRY(map_archive(config));
  TRY(map_console_memory(config));
  TRY(map_parent_channel(config));
  TRY(fill_cspace(config));
  if (memory_.free_bytes() <= config.memory_reserve) {
    return base::fail(kNoMemory);
  }
  memory_limit_ = base::align_down<std::uint64_t>(
      memory_.free_bytes() - config.memory_reserve + config.memory_more, abi::kSmallPage);
  TRY(map_start_block(window, parts, config));
  for (std::size_t worker = 0; worker < worker_count_; ++worker) {
    TRY(start_worker(worker, parts, config));
  }
  return {};
}

Realm::Step Realm::make_objects(const RealmParts& parts, const RealmConfig& config) {
  TRY(in_words(space_.make(memory_, parts.asids)));
  cspace_ = TRY(in_words(memory_.make(ObjectType::kCNode, cspace_bits_)));
  endpoint_ = TRY(in_words(memory_.make(ObjectType::kEndpoint)));
  reply_ = TRY(in_words(memory_.make(ObjectType::kReply)));
  worker_count_ = std::clamp<std::size_t>(config.workers, 1, workers_.size());
  for (std::size_t at = 0; at < worker_count_; ++at) {
    Worker& worker = workers_[at];
    worker.notification = TRY(in_words(memory_.make(ObjectType::kNotification)));
    worker.tcb = TRY(in_words(memory_.make(ObjectType::kTcb)));
    worker.sched_context =
        TRY(in_words(make_sched_context(memory_, parts.sched_control + at, config.worker)));
    worker.fault_cap = TRY(in_words(
        memory_.badge_cap(endpoint_.cap, abi::kAllRights, kFaultBadge | at << kBadgeKindBits)));
  }
  deadline_signal_ =
      TRY(in_words(memory_.badge_cap(notification(), abi::kCanWrite, abi::kSignalDeadline)));
  if (!regions_.add({abi::kNullGuard, RegionType::null_guard, RegionRights::none}) ||
      !regions_.add({abi::kChannelRange, RegionType::channel, RegionRights::read_write}) ||
      !regions_.add({abi::kRegionRange, RegionType::shared_region, RegionRights::read_write}) ||
      !regions_.add({abi::kHelperRange, RegionType::stack, RegionRights::read_write}) ||
      !regions_.add({abi::kBinaryRange, RegionType::shared_binary, RegionRights::read_only}) ||
      !regions_.add({abi::kPoolRange, RegionType::pool, RegionRights::read_write}) ||
      !regions_.add({abi::level_memory(depth_), RegionType::own_level, RegionRights::read_write}) ||
      (depth_ != 0 && !regions_.add({abi::levels_above(depth_), RegionType::inherited,
                                     RegionRights::read_only}))) {
    return base::fail(kTooMany);
  }
  return {};
}

// What the core image's vars are is the first realm's, for all below.
Realm::Step Realm::map_image(Window& window, const VmImage& image) {
  const auto is_inherited = [this](const LoadedSegment& segment) {
    return depth_ != 0 && segment.type == RegionType::core_data;
  };
  for (const LoadedSegment& segment : image.segments()) {
    if (!segment.shared()) {
      TRY(map_own(&window, segment));
    } else if (!regions_.add(
                   is_inherited(segment)
                       ? Region{segment.pages, RegionType::inherited, RegionRights::read_only}
                       : Region{segment.pages, segment.type, segment.rights})) {
      return base::fail(kTooMany);
    }
  }
  for (const VmImage::SharedPage& page : image.shared()) {
    const bool writes = page.first_writes && depth_ == 0;
    TRY(map_copy(page.frame, page.address, writes ? abi::kReadWrite : abi::kCanRead));
  }
  return {};
}

// A frame that is not this realm's own.
Realm::Step Realm::map_copy(abi::CPtr frame, abi::Address address, abi::CapRights rights) {
  if (copy_count_ == copies_.size()) {
    return base::fail(kTooMany);
  }
  const auto cap = TRY(in_words(memory_.copy_cap(frame, rights)));
  copies_[copy_count_++] = cap;
  return check(space_.map(memory_, cap, address, rights));
}

// Fresh frames with the piece's content, mapped with its rights.
Realm::Step Realm::map_own(Window* window, const LoadedSegment& piece, FrameRun* last) {
  if (!regions_.add({piece.pages, piece.type, piece.rights})) {
    return base::fail(kTooMany);
  }
  return map_frames(window, piece, last);
}

Realm::Step Realm::map_frames(Window* window, const LoadedSegment& piece, FrameRun* last) {
  const std::uint64_t pages = piece.pages.size / abi::kSmallPage;
  for (std::uint64_t done = 0; done < pages;) {
    const auto run = TRY(in_words(memory_.make_frames(abi::kPageBits, next_run(pages - done))));
    const auto part = content_of(piece, done * abi::kSmallPage, run.bytes());
    if (window != nullptr && !window->fill(run, part.skip, part.content)) {
      return base::fail(kNoMemory);
    }
    for (std::uint64_t at = 0; at < run.count; ++at, ++done) {
      TRY(check(space_.map(memory_, run.first + at, piece.pages.start + done * abi::kSmallPage,
                           map_rights(piece.rights))));
    }
    if (last != nullptr) {
      *last = run;
    }
  }
  return {};
}

// Buffer, guard, stack, guard (abi/lona/address_map.hpp).
Realm::Step Realm::map_worker_area(std::size_t worker, std::uint64_t stack_bytes) {
  const abi::AddressRange buffer{abi::worker_ipc_buffer(worker), abi::kSmallPage};
  const abi::AddressRange stack = abi::worker_stack(worker);
  const abi::AddressRange below{buffer.end(), stack.start - buffer.end()};
  const abi::Address area_end = abi::worker_ipc_buffer(worker + 1) - abi::kWorkerRestSize;
  const abi::AddressRange above{stack.end(), area_end - stack.end()};
  const std::uint64_t bytes = std::min(stack_bytes, stack.size);
  FrameRun run;
  TRY(map_own(nullptr, piece_of(buffer, RegionType::ipc_buffer, RegionRights::read_write, {}),
              &run));
  workers_[worker].buffer_frame = run.first;
  TRY(map_frames(
      nullptr,
      piece_of({stack.end() - bytes, bytes}, RegionType::stack, RegionRights::read_write, {}),
      nullptr));
  if (!regions_.add({stack, RegionType::stack, RegionRights::read_write}) ||
      !regions_.add({below, RegionType::guard, RegionRights::none}) ||
      !regions_.add({above, RegionType::guard, RegionRights::none})) {
    return base::fail(kTooMany);
  }
  return {};
}

Realm::Step Realm::map_archive(const RealmConfig& config) {
  if (config.archive.count == 0) {
    return {};
  }
  const abi::AddressRange pages{abi::kArchiveRange.start, config.archive.count * abi::kSmallPage};
  if (!regions_.add({pages, RegionType::archive, RegionRights::read_only})) {
    return base::fail(kTooMany);
  }
  for (std::uint64_t at = 0; at < config.archive.count; ++at) {
    TRY(map_copy(config.archive.first + at, pages.start + at * abi::kSmallPage, abi::kCanRead));
  }
  return {};
}

// What it shares with its parent; the parent's side is mapped by map_channel.
Realm::Step Realm::map_parent_channel(const RealmConfig& config) {
  if (config.parent == nullptr) {
    return {};
  }
  return map_frames(nullptr,
                    piece_of({abi::kParentChannel, abi::kChannelSize}, RegionType::channel,
                             RegionRights::read_write, {}),
                    &channel_);
}

// One run of frames, so that it is contiguous: the device knows physical addresses only.
Realm::Step Realm::map_console_memory(const RealmConfig& config) {
  if (config.console.device != abi::ConsoleDevice::kVirtio) {
    return {};
  }
  if (!regions_.add({abi::kConsoleDma, RegionType::device_memory, RegionRights::read_write})) {
    return base::fail(kTooMany);
  }
  constexpr std::uint64_t kPages = abi::kConsoleDma.size / abi::kSmallPage;
  const auto run = TRY(in_words(memory_.make_frames(abi::kPageBits, kPages)));
  console_ = config.console;
  const abi::WordResult physical = abi::page_get_address(run.first);
  TRY(check(physical.error));
  console_memory_ = physical.value;
  for (std::uint64_t at = 0; at < kPages; ++at) {
    TRY(check(space_.map(memory_, run.first + at, abi::kConsoleDma.start + at * abi::kSmallPage,
                         abi::kReadWrite)));
  }
  return {};
}

Realm::Step Realm::map_start_block(Window& window, const RealmParts& parts,
                                   const RealmConfig& config) {
  abi::StartBlock block{
      .magic = abi::kStartMagic,
      .memory_limit = memory_limit_,
      .archive_address = abi::kArchiveRange.start,
      .archive_size = config.archive_size,
      .tsc_hertz = parts.tsc_hertz,
      .wall_clock_zero = parts.wall_clock_zero,
      .console = config.console.kind,
      .console_device = config.console.device,
      .console_port = config.console.port,
      .console_dma_physical = console_memory_,
      .realm = config.realm,
      .parent = config.parent == nullptr ? abi::kNoRealm : config.parent->number(),
      .depth = config.depth,
      .cspace_bits = cspace_bits_,
      .workers = static_cast<std::uint32_t>(worker_count_),
      .iommu_labels = parts.iommu_labels ? 1U : 0U,
      .name = {},
  };
  std::copy_n(name_.data(), name_length_, block.name);
  const base::ByteView bytes{reinterpret_cast<const std::byte*>(&block), sizeof(block)};
  return map_own(&window, piece_of({abi::kStartBlockAddress, abi::kSmallPage},
                                   RegionType::start_block, RegionRights::read_only, bytes));
}

Realm::Step Realm::give_cap(std::uint64_t slot, abi::CPtr source, abi::CapRights rights,
                            std::uint64_t badge) {
  const abi::SlotAddress target{cspace_.cap, slot, cspace_bits_};
  return check(badge == 0 ? abi::cnode_copy(target, memory_.address_of(source), rights)
                          : abi::cnode_mint(target, memory_.address_of(source), rights, badge));
}

Realm::Step Realm::fill_cspace(const RealmConfig& config) {
  // Calls need the right to grant a reply, and no more: no cap can be sent to the manager.
  TRY(give_cap(abi::kRealmSlotManager, endpoint_.cap, abi::kCanWrite | abi::kCanGrantReply,
               kRequestBadge));
  for (std::size_t worker = 0; worker < worker_count_; ++worker) {
    TRY(give_cap(abi::worker_slot(worker), workers_[worker].notification.cap,
                 abi::kCanRead | abi::kCanWrite, 0));
  }
  if (config.parent_signal != 0) {
    TRY(give_cap(abi::kRealmSlotParent, config.parent_signal, abi::kCanWrite, abi::kSignalChannel));
  }
  if (config.console.kind == abi::ConsoleKind::kNone) {
    return {};
  }
  const auto signal =
      TRY(in_words(memory_.badge_cap(notification(), abi::kCanWrite, abi::kSignalConsole)));
  const Error bound = abi::irq_handler_set_notification(config.console.irq, signal);
  memory_.drop_cap(signal);  // the handler keeps its own
  TRY(check(bound));
  TRY(give_cap(abi::kRealmSlotConsolePorts, config.console.ports, abi::kAllRights, 0));
  return give_cap(abi::kRealmSlotConsoleIrq, config.console.irq, abi::kAllRights, 0);
}

Realm::Step Realm::start_worker(std::size_t number, const RealmParts& parts,
                                const RealmConfig& config) {
  const Worker& worker = workers_[number];
  const auto guard = abi::CNodeData(0, abi::kWordBits - cspace_bits_);
  TRY(check(abi::tcb_configure(worker.tcb.cap, cspace_.cap, guard, space_.cap(),
                               abi::worker_ipc_buffer(number), worker.buffer_frame)));
  // No authority over priorities: the maximum it may set is its own.
  TRY(check(abi::tcb_set_sched_params(worker.tcb.cap, abi::kSlotInitTcb, config.worker.priority,
                                      config.worker.priority, worker.sched_context.cap,
                                      worker.fault_cap)));
  abi::UserRegisters registers{};
  registers.rip = parts.image.elf().entry();
  registers.rsp = abi::worker_stack(number).end() - 8;  // as if called
  registers.rdi = abi::kStartBlockAddress;
  registers.rsi = number;
  registers.rflags = 0x202;
  registers.fs_base = abi::worker_thread_block(number);
  return check(abi::tcb_write_registers(worker.tcb.cap, false, abi::kUserRegisterCount, registers));
}

}  // namespace lona::manager
