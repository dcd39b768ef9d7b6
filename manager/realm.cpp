// SPDX-License-Identifier: BSD-2-Clause
#include "manager/realm.hpp"

#include <algorithm>
#include <cstring>

#include "manager/pci.hpp"

namespace lona::manager {

namespace {

using abi::Error;
using abi::Status;

}  // namespace

bool Realm::run() {
  bool good = true;
  for (std::size_t worker = 0; worker < worker_count_; ++worker) {
    good = abi::tcb_resume(workers_[worker].tcb.cap) == Error::kNone && good;
  }
  for (std::size_t helper = 0; helper < helper_count(); ++helper) {
    resume_helper(helper);
  }
  return good;
}

void Realm::suspend() {
  for (std::size_t worker = 0; worker < worker_count_; ++worker) {
    (void)abi::tcb_suspend(workers_[worker].tcb.cap);
  }
  suspend_helpers();
}

void Realm::halt() {
  suspend();
  if (console_.device == abi::ConsoleDevice::kVirtio) {
    reset_virtio(console_.ports, console_.port);
    console_ = {};
  }
}

bool Realm::grow_stack(abi::Address address) {
  bool in_a_stack = false;
  for (std::size_t worker = 0; worker < worker_count_; ++worker) {
    in_a_stack = in_a_stack || abi::worker_stack(worker).contains(address);
  }
  if (!in_a_stack) {
    return false;
  }
  memory_.keep_slots_ready(64);
  const auto run = memory_.make_frames(abi::kPageBits, 1);
  return run &&
         space_.map(memory_, run->first, base::align_down<std::uint64_t>(address, abi::kSmallPage),
                    abi::kReadWrite) == Error::kNone;
}

Status Realm::map_channel(std::uint64_t number, const FrameRun& frames,
                          std::span<abi::CPtr> copies) {
  for (std::uint64_t at = 0; at < frames.count; ++at) {
    const auto cap = memory_.copy_cap(frames.first + at, abi::kReadWrite);
    if (!cap) {
      return Status::kOutOfMemory;
    }
    copies[at] = *cap;
    if (space_.map(memory_, *cap, abi::child_channel(number) + at * abi::kSmallPage,
                   abi::kReadWrite) != Error::kNone) {
      return Status::kOutOfMemory;
    }
  }
  return Status::kOk;
}

bool Realm::add_child_signal(std::uint64_t number, abi::CPtr notification) {
  return give_cap(abi::kRealmSlotChildren + number, notification, abi::kCanWrite,
                  abi::kSignalChannel)
      .has_value();
}

void Realm::drop_child_signal(std::uint64_t number) {
  (void)abi::cnode_delete({cspace_.cap, abi::kRealmSlotChildren + number, cspace_bits_});
}

base::Expected<std::uint64_t, Status> Realm::take_child_number() {
  const std::uint64_t most = abi::most_children(cspace_bits_);
  for (std::size_t word = 0; word < child_numbers_.size(); ++word) {
    const auto bit = static_cast<unsigned>(std::countr_one(child_numbers_[word]));
    if (bit < 64 && word * 64 + bit < most) {
      child_numbers_[word] |= std::uint64_t{1} << bit;
      return word * 64 + bit;
    }
  }
  return base::fail(Status::kTooMany);
}

base::Expected<std::uint64_t, Status> Realm::take_peer_number() {
  const auto bit = static_cast<unsigned>(std::countr_one(peer_numbers_));
  if (bit >= abi::kPeerMax || cspace_bits_ == abi::kInitCSpaceBits) {
    return base::fail(Status::kTooMany);
  }
  peer_numbers_ |= std::uint64_t{1} << bit;
  return abi::kFirstPeer + bit;
}

// The page table is that of the channel to its parent.
Status Realm::map_peer_channel(std::uint64_t number, Memory& parent, const FrameRun& frames,
                               abi::CPtr copies) {
  for (std::uint64_t at = 0; at < frames.count; ++at) {
    if (abi::cnode_copy(parent.address_of(copies + at), parent.address_of(frames.first + at),
                        abi::kReadWrite) != Error::kNone ||
        abi::page_map(copies + at, space_.cap(), abi::child_channel(number) + at * abi::kSmallPage,
                      abi::kReadWrite) != Error::kNone) {
      return Status::kOutOfMemory;
    }
  }
  return Status::kOk;
}

// Only realms that another one has made hold what can be taken away, and they have one worker.
bool Realm::skip_region_access(abi::Address address, std::uint64_t instruction) {
  if (!abi::kRegionRange.contains(address) || worker_count_ != 1) {
    return false;
  }
  abi::UserRegisters registers{};
  registers.rip = instruction + abi::kRegionCopyLength;
  return abi::tcb_write_registers(workers_[0].tcb.cap, false, 1, registers) == Error::kNone;
}

bool Realm::charge(std::uint64_t bytes) {
  if (bytes > memory_limit_ - mapped_) {
    return false;
  }
  mapped_ += bytes;
  return true;
}

std::uint64_t Realm::time_used() {
  for (std::size_t worker = 0; worker < worker_count_; ++worker) {
    time_used_ += abi::sched_context_consumed(workers_[worker].sched_context.cap).value;
  }
  for (std::size_t helper = 0; helper < helper_count(); ++helper) {
    time_used_ += abi::sched_context_consumed(helpers_[helper].sched_context.cap).value;
  }
  return time_used_;
}

// Neighbours are mapped as well: one that is wanted soon costs less now than a fault of its own.
Status Realm::inherit(abi::Address address) {
  constexpr std::uint64_t kTogether = 8 * abi::kSmallPage;
  if (!abi::levels_above(depth_).contains(address)) {
    return Status::kBadAddress;
  }
  const Realm* owner = parent_;
  while (!abi::level_memory(owner->depth_).contains(address) && owner->parent_ != nullptr) {
    owner = owner->parent_;
  }
  const Grant* grant = owner->level_grants_.find_published(address);
  if (grant == nullptr) {
    return Status::kBadAddress;
  }
  memory_.keep_slots_ready(64);
  const std::uint64_t page_bytes = std::uint64_t{1} << grant->frames.page_bits;
  const abi::Address page = base::align_down(address, page_bytes);
  if (const Error error = inherit_page(*grant, page); error != Error::kNone) {
    return error == Error::kDeleteFirst ? Status::kOk : Status::kOutOfMemory;
  }
  const abi::Address window = base::align_down(address, std::max(kTogether, page_bytes));
  const abi::Address first = std::max(window, grant->address);
  const abi::Address end = std::min(window + kTogether, grant->address + grant->frames.bytes());
  for (abi::Address at = first; at < end; at += page_bytes) {
    if (at != page && inherit_page(*grant, at) != Error::kNone) {
      break;
    }
  }
  return Status::kOk;
}

Error Realm::inherit_page(const Grant& grant, abi::Address page) {
  const std::uint64_t index = (page - grant.address) >> grant.frames.page_bits;
  const auto cap = memory_.copy_cap(grant.frames.first + index, abi::kCanRead);
  if (!cap) {
    return Error::kNotEnoughMemory;
  }
  const Error error = space_.map(memory_, *cap, page, abi::kCanRead);
  if (error != Error::kNone) {
    memory_.drop_cap(*cap);
  }
  return error;
}

Status Realm::map_run(const FrameRun& run, abi::Address address) {
  for (std::uint64_t at = 0; at < run.count; ++at) {
    const Error error =
        space_.map(memory_, run.first + at, address + (at << run.page_bits), abi::kReadWrite);
    if (error != Error::kNone) {
      return error == Error::kNotEnoughMemory ? Status::kOutOfMemory : Status::kBadAddress;
    }
  }
  return Status::kOk;
}

// All or nothing: what was made for a request that cannot be met is taken back.
Status Realm::map_pages(const PageRange& pages) {
  if (pages.bytes() > memory_limit_ - mapped_) {
    return Status::kOverLimit;
  }
  const bool pool = abi::kPoolRange.contains(pages.address);
  if (!pool && !abi::level_memory(depth_).contains(pages.address)) {
    return Status::kBadAddress;
  }
  GrantTable& table = pool ? grants_ : level_grants_;
  if (!table.clear_of(pages)) {
    return Status::kBadAddress;
  }
  memory_.keep_slots_ready(pages.count + 64);
  const Status status = fill_pages(pages, table);
  if (status == Status::kOk) {
    mapped_ += pages.bytes();
    asked_ahead_ -= std::min(asked_ahead_, pages.bytes());
    if (!pool) {
      table.publish();
    }
  }
  return status;
}

Status Realm::fill_pages(const PageRange& pages, GrantTable& table) {
  const std::size_t before = table.count();
  Status status = Status::kOk;
  std::uint64_t piece = next_run(pages.count);
  for (std::uint64_t done = 0; done < pages.count && status == Status::kOk;) {
    piece = std::min(piece, next_run(pages.count - done));
    if (table.full()) {
      status = Status::kTooMany;
      break;
    }
    const auto run = memory_.make_frames(pages.page_bits, piece);
    if (!run && run.error() != MemoryError::refused && piece > 1) {
      piece /= 2;  // smaller blocks, or fewer empty slots side by side, may still be there
      continue;
    }
    if (!run) {
      status = memory_.is_full(run.error()) ? Status::kTooMany : Status::kOutOfMemory;
      break;
    }
    const abi::Address address = pages.address + (done << pages.page_bits);
    table.add({.address = address, .request = pages, .frames = *run});
    status = map_run(*run, address);
    done += piece;
  }
  if (status != Status::kOk) {
    while (table.count() > before) {
      memory_.destroy_frames(table.at(table.count() - 1).frames);
      table.remove(table.count() - 1);
    }
  }
  return status;
}

// All that one request gave, and nothing else.
Status Realm::unmap_pages(const PageRange& pages) {
  abi::Address at = pages.address;
  while (const auto index = grants_.find(pages, at)) {
    at += grants_.at(*index).frames.bytes();
    memory_.destroy_frames(grants_.at(*index).frames);
    grants_.remove(*index);
  }
  if (at == pages.address) {
    return Status::kBadAddress;
  }
  mapped_ -= pages.bytes();
  return Status::kOk;
}

}  // namespace lona::manager
