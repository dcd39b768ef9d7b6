// SPDX-License-Identifier: BSD-2-Clause
#include "manager/realm.hpp"

#include <algorithm>
#include <cstring>

#include "manager/pci.hpp"

namespace lona::manager {

namespace {

using abi::Error;
using abi::ObjectType;
using abi::Status;

constexpr std::string_view kNoMemory = "there is too little memory";
constexpr std::string_view kTooMany = "its image is larger than the manager's tables";
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

base::Expected<void, std::string_view> Realm::build(Memory& memory, Window& window,
                                                    abi::CPtr sched_control, const VmImage& image,
                                                    const RealmConfig& config) {
  name_ = config.name;
  const auto steps = [&]() -> Step {
    TRY(make_objects(memory, sched_control, config));
    TRY(map_image(memory, window, image));
    TRY(map_worker_area(memory));
    TRY(map_archive(memory, config));
    TRY(map_console_memory(memory, config));
    TRY(fill_cspace(memory, config));
    if (memory.free_bytes() <= config.memory_reserve) {
      return base::fail(kNoMemory);
    }
    memory_limit_ = base::align_down<std::uint64_t>(memory.free_bytes() - config.memory_reserve,
                                                    abi::kLargePage);
    TRY(map_start_block(memory, window, config));
    return start_worker(memory, image, config);
  };
  const Step built = steps();
  if (!built) {
    stop(memory);
  }
  return built;
}

bool Realm::run() {
  state_ = RealmState::running;
  return abi::tcb_resume(tcb_.cap) == Error::kNone;
}

Realm::Step Realm::make_objects(Memory& memory, abi::CPtr sched_control,
                                const RealmConfig& config) {
  TRY(in_words(space_.make(memory)));
  cspace_ = TRY(in_words(memory.make(ObjectType::kCNode, abi::kRealmCSpaceBits)));
  endpoint_ = TRY(in_words(memory.make(ObjectType::kEndpoint)));
  notification_ = TRY(in_words(memory.make(ObjectType::kNotification)));
  reply_ = TRY(in_words(memory.make(ObjectType::kReply)));
  tcb_ = TRY(in_words(memory.make(ObjectType::kTcb)));
  sched_context_ = TRY(in_words(make_sched_context(memory, sched_control, config.worker)));
  fault_cap_ = TRY(in_words(memory.badge_cap(endpoint_.cap, abi::kAllRights, kFaultBadge)));
  deadline_signal_ =
      TRY(in_words(memory.badge_cap(notification_.cap, abi::kCanWrite, abi::kSignalDeadline)));
  if (!regions_.add({abi::kNullGuard, RegionType::null_guard, RegionRights::none}) ||
      !regions_.add({abi::kPoolRange, RegionType::pool, RegionRights::read_write})) {
    return base::fail(kTooMany);
  }
  return {};
}

Realm::Step Realm::map_image(Memory& memory, Window& window, const VmImage& image) {
  for (const LoadedSegment& segment : image.segments()) {
    if (segment.shared()) {
      TRY(map_shared(memory, segment));
    } else {
      TRY(map_own(memory, &window, segment));
    }
  }
  return {};
}

Realm::Step Realm::map_shared(Memory& memory, const LoadedSegment& segment) {
  if (!regions_.add({segment.pages, segment.type, segment.rights})) {
    return base::fail(kTooMany);
  }
  abi::Address address = segment.pages.start;
  for (std::size_t index = 0; index < segment.run_count; ++index) {
    const FrameRun& run = segment.runs[index];
    for (std::uint64_t at = 0; at < run.count; ++at, address += abi::kSmallPage) {
      if (copy_count_ == copies_.size()) {
        return base::fail(kTooMany);
      }
      const auto cap = TRY(in_words(memory.copy_cap(run.first + at, abi::kCanRead)));
      copies_[copy_count_++] = cap;
      TRY(check(space_.map(memory, cap, address, abi::kCanRead)));
    }
  }
  return {};
}

// Fresh frames with the piece's content, mapped with its rights.
Realm::Step Realm::map_own(Memory& memory, Window* window, const LoadedSegment& piece,
                           FrameRun* last) {
  if (!regions_.add({piece.pages, piece.type, piece.rights})) {
    return base::fail(kTooMany);
  }
  const std::uint64_t pages = piece.pages.size / abi::kSmallPage;
  for (std::uint64_t done = 0; done < pages;) {
    if (run_count_ == runs_.size()) {
      return base::fail(kTooMany);
    }
    const auto run = TRY(in_words(memory.make_frames(abi::kPageBits, next_run(pages - done))));
    runs_[run_count_++] = run;
    const auto part = content_of(piece, done * abi::kSmallPage, run.bytes());
    if (window != nullptr && !window->fill(run, part.skip, part.content)) {
      return base::fail(kNoMemory);
    }
    for (std::uint64_t at = 0; at < run.count; ++at, ++done) {
      TRY(check(space_.map(memory, run.first + at, piece.pages.start + done * abi::kSmallPage,
                           map_rights(piece.rights))));
    }
    if (last != nullptr) {
      *last = run;
    }
  }
  return {};
}

// Buffer, guard, stack, guard: the guards are the rest of the area (abi/lona/address_map.hpp).
Realm::Step Realm::map_worker_area(Memory& memory) {
  const abi::AddressRange buffer{abi::worker_ipc_buffer(0), abi::kSmallPage};
  const abi::AddressRange stack = abi::worker_stack(0);
  const abi::AddressRange below{buffer.end(), stack.start - buffer.end()};
  const abi::Address area_end = abi::worker_ipc_buffer(1);
  const abi::AddressRange above{stack.end(), area_end - stack.end()};
  FrameRun run;
  TRY(map_own(memory, nullptr,
              piece_of(buffer, RegionType::ipc_buffer, RegionRights::read_write, {}), &run));
  buffer_frame_ = run.first;
  TRY(map_own(memory, nullptr, piece_of(stack, RegionType::stack, RegionRights::read_write, {})));
  if (!regions_.add({below, RegionType::guard, RegionRights::none}) ||
      !regions_.add({above, RegionType::guard, RegionRights::none})) {
    return base::fail(kTooMany);
  }
  return {};
}

Realm::Step Realm::map_archive(Memory& memory, const RealmConfig& config) {
  const abi::AddressRange pages{abi::kArchiveRange.start, config.archive.count * abi::kSmallPage};
  if (copy_count_ + config.archive.count > copies_.size() ||
      !regions_.add({pages, RegionType::archive, RegionRights::read_only})) {
    return base::fail(kTooMany);
  }
  for (std::uint64_t at = 0; at < config.archive.count; ++at) {
    const auto cap = TRY(in_words(memory.copy_cap(config.archive.first + at, abi::kCanRead)));
    copies_[copy_count_++] = cap;
    TRY(check(space_.map(memory, cap, pages.start + at * abi::kSmallPage, abi::kCanRead)));
  }
  return {};
}

// One run of frames, so that it is contiguous: the device knows physical addresses only.
Realm::Step Realm::map_console_memory(Memory& memory, const RealmConfig& config) {
  if (config.console.device != abi::ConsoleDevice::kVirtio) {
    return {};
  }
  if (run_count_ == runs_.size() ||
      !regions_.add({abi::kConsoleDma, RegionType::device_memory, RegionRights::read_write})) {
    return base::fail(kTooMany);
  }
  constexpr std::uint64_t kPages = abi::kConsoleDma.size / abi::kSmallPage;
  const auto run = TRY(in_words(memory.make_frames(abi::kPageBits, kPages)));
  console_ = config.console;
  runs_[run_count_++] = run;
  const abi::WordResult physical = abi::page_get_address(run.first);
  TRY(check(physical.error));
  console_memory_ = physical.value;
  for (std::uint64_t at = 0; at < kPages; ++at) {
    TRY(check(space_.map(memory, run.first + at, abi::kConsoleDma.start + at * abi::kSmallPage,
                         abi::kReadWrite)));
  }
  return {};
}

Realm::Step Realm::map_start_block(Memory& memory, Window& window, const RealmConfig& config) {
  abi::StartBlock block{
      .magic = abi::kStartMagic,
      .memory_limit = memory_limit_,
      .archive_address = abi::kArchiveRange.start,
      .archive_size = config.archive_size,
      .tsc_hertz = config.tsc_hertz,
      .console = config.console.kind,
      .console_device = config.console.device,
      .console_port = config.console.port,
      .console_dma_physical = console_memory_,
      .depth = 0,
      .workers = 1,
      .iommu_labels = config.iommu_labels ? 1U : 0U,
      .name = {},
  };
  std::copy_n(name_.data(), std::min<std::size_t>(name_.size(), abi::kRealmNameMax), block.name);
  const base::ByteView bytes{reinterpret_cast<const std::byte*>(&block), sizeof(block)};
  return map_own(memory, &window,
                 piece_of({abi::kStartBlockAddress, abi::kSmallPage}, RegionType::start_block,
                          RegionRights::read_only, bytes));
}

Realm::Step Realm::give_cap(Memory& memory, abi::RealmSlot slot, abi::CPtr source,
                            abi::CapRights rights, std::uint64_t badge) {
  const abi::SlotAddress target{cspace_.cap, slot, abi::kRealmCSpaceBits};
  return check(badge == 0 ? abi::cnode_copy(target, memory.address_of(source), rights)
                          : abi::cnode_mint(target, memory.address_of(source), rights, badge));
}

Realm::Step Realm::fill_cspace(Memory& memory, const RealmConfig& config) {
  // Calls need the right to grant a reply, and no more: no cap can be sent to the manager.
  TRY(give_cap(memory, abi::kRealmSlotManager, endpoint_.cap, abi::kCanWrite | abi::kCanGrantReply,
               kRequestBadge));
  TRY(give_cap(memory, abi::kRealmSlotNotification, notification_.cap,
               abi::kCanRead | abi::kCanWrite, 0));
  if (config.console.kind == abi::ConsoleKind::kNone) {
    return {};
  }
  const auto signal =
      TRY(in_words(memory.badge_cap(notification_.cap, abi::kCanWrite, abi::kSignalConsole)));
  const Error bound = abi::irq_handler_set_notification(config.console.irq, signal);
  memory.drop_cap(signal);  // the handler keeps its own
  TRY(check(bound));
  TRY(give_cap(memory, abi::kRealmSlotConsolePorts, config.console.ports, abi::kAllRights, 0));
  return give_cap(memory, abi::kRealmSlotConsoleIrq, config.console.irq, abi::kAllRights, 0);
}

Realm::Step Realm::start_worker(Memory& memory, const VmImage& image, const RealmConfig& config) {
  const auto guard = abi::CNodeData(0, abi::kWordBits - abi::kRealmCSpaceBits);
  TRY(check(abi::tcb_configure(tcb_.cap, cspace_.cap, guard, space_.cap(),
                               abi::worker_ipc_buffer(0), buffer_frame_)));
  // No authority over priorities: the maximum it may set is its own.
  TRY(check(abi::tcb_set_sched_params(tcb_.cap, abi::kSlotInitTcb, config.worker.priority,
                                      config.worker.priority, sched_context_.cap, fault_cap_)));
  (void)memory;
  abi::UserRegisters registers{};
  registers.rip = image.elf().entry();
  registers.rsp = abi::worker_stack(0).end() - 8;  // as if called
  registers.rdi = abi::kStartBlockAddress;
  registers.rflags = 0x202;
  registers.fs_base = abi::worker_thread_block(0);
  return check(abi::tcb_write_registers(tcb_.cap, false, abi::kUserRegisterCount, registers));
}

void Realm::stop(Memory& memory) {
  state_ = RealmState::stopped;
  if (tcb_.cap != 0) {
    (void)abi::tcb_suspend(tcb_.cap);
  }
  if (console_.device == abi::ConsoleDevice::kVirtio) {
    reset_virtio(console_.ports, console_.port);  // before its memory goes to others
    console_ = {};
  }
  memory.destroy(tcb_);
  memory.destroy(sched_context_);
  memory.drop_cap(fault_cap_);
  fault_cap_ = 0;
  memory.destroy(cspace_);
  while (copy_count_ > 0) {
    memory.drop_cap(copies_[--copy_count_]);
  }
  while (run_count_ > 0) {
    memory.destroy_frames(runs_[--run_count_]);
  }
  while (grants_.count() > 0) {
    memory.destroy_frames(grants_.at(0).frames);
    grants_.remove(0);
  }
  mapped_ = 0;
  space_.destroy(memory);
}

Status Realm::map_run(Memory& memory, const FrameRun& run, abi::Address address) {
  for (std::uint64_t at = 0; at < run.count; ++at) {
    const Error error =
        space_.map(memory, run.first + at, address + (at << run.page_bits), abi::kReadWrite);
    if (error != Error::kNone) {
      return error == Error::kNotEnoughMemory ? Status::kOutOfMemory : Status::kBadAddress;
    }
  }
  return Status::kOk;
}

// All or nothing: what was made for a request that cannot be met is taken back.
Status Realm::map_pages(Memory& memory, const PageRange& pages) {
  if (pages.bytes() > memory_limit_ - mapped_) {
    return Status::kOverLimit;
  }
  if (!grants_.clear_of(pages)) {
    return Status::kBadAddress;
  }
  const std::size_t before = grants_.count();
  Status status = Status::kOk;
  std::uint64_t piece = next_run(pages.count);
  for (std::uint64_t done = 0; done < pages.count && status == Status::kOk;) {
    piece = std::min(piece, next_run(pages.count - done));
    auto run = grants_.full() ? base::fail(MemoryError::out_of_slots)
                              : memory.make_frames(pages.page_bits, piece);
    if (!run && run.error() == MemoryError::out_of_memory && piece > 1) {
      piece /= 2;  // smaller blocks may still be there
      continue;
    }
    if (!run) {
      status = Status::kOutOfMemory;
      break;
    }
    const abi::Address address = pages.address + (done << pages.page_bits);
    grants_.add({.address = address, .request = pages, .frames = *run});
    status = map_run(memory, *run, address);
    done += piece;
  }
  if (status == Status::kOk) {
    mapped_ += pages.bytes();
    return status;
  }
  while (grants_.count() > before) {
    memory.destroy_frames(grants_.at(grants_.count() - 1).frames);
    grants_.remove(grants_.count() - 1);
  }
  return status;
}

Status Realm::unmap_pages(Memory& memory, const PageRange& pages) {
  if (!grants_.given(pages)) {
    return Status::kBadAddress;
  }
  for (std::size_t index = grants_.count(); index-- > 0;) {
    if (grants_.at(index).request == pages) {
      memory.destroy_frames(grants_.at(index).frames);
      grants_.remove(index);
    }
  }
  mapped_ -= pages.bytes();
  return Status::kOk;
}

}  // namespace lona::manager
