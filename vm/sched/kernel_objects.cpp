// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/kernel_objects.hpp"

#include <new>

#include "vm/platform/kernel_objects.hpp"
#include "vm/process/process.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

std::size_t bytes_of(unsigned bits) {
  return platform::whole_pages((std::size_t{1} << bits) * sizeof(ObjectKind));
}

}  // namespace

std::uint8_t CNodeRecords::add(unsigned bits) {
  for (std::size_t at = 0; at < kMost && bits <= kMostBits; ++at) {
    Record& record = records_[at];
    if (record.kinds != nullptr) continue;
    void* pages = platform::map_pages(bytes_of(bits));
    if (pages == nullptr) return 0;
    record = {.kinds = new (pages) ObjectKind[std::size_t{1} << bits], .bits = bits};
    return static_cast<std::uint8_t>(at + 1);
  }
  return 0;
}

void CNodeRecords::drop(std::uint8_t number) {
  if (number == 0 || records_[number - 1].kinds == nullptr) return;
  Record& record = records_[number - 1];
  platform::unmap_pages(record.kinds, bytes_of(record.bits));
  record = {};
}

ObjectKind* CNodeRecords::at(std::uint8_t number, std::uint64_t slot) {
  if (number == 0 || number > kMost) return nullptr;
  const Record& record = records_[number - 1];
  return record.kinds == nullptr || slot >> record.bits != 0 ? nullptr : record.kinds + slot;
}

void KernelCalls::enter(Process& p, std::uint32_t helper) {
  static_assert(std::tuple_size_v<decltype(waiting_)> == platform::kMostHelpers);
  const Guard guard(lock_);
  p.helper_ = helper;
  waiting_[helper] = &p;
  // The first worker may have looked already.
  if (platform::call_has_ended(helper)) p.woken_.store(true);
}

void KernelCalls::leave(Process& p) {
  const Guard guard(lock_);
  waiting_[p.helper_] = nullptr;
  p.helper_ = Process::kNoHelper;
}

void KernelCalls::poll(Worker& w) {
  if (!platform::take_ended_calls()) return;
  const Guard guard(lock_);
  for (std::uint32_t helper = 0; helper < waiting_.size(); ++helper) {
    if (waiting_[helper] != nullptr && platform::call_has_ended(helper)) {
      wake(w, *waiting_[helper]);
    }
  }
}

void leave_kernel(Process& p) {
  if (p.helper_ != Process::kNoHelper) {
    const std::uint32_t helper = p.helper_;
    state_of(p).kernel_calls.leave(p);
    platform::give_up_call(helper);
  }
  if (p.reply_slot_ == Process::kNoReplySlot) return;
  // Without a caller that waits, it goes nowhere.
  platform::send_now(platform::slot_capability(p.reply_slot_),
                     kNoAnswerLabel << MessageInfo::kLabelShift, {});
  platform::give_slot(p.reply_slot_);
  p.reply_slot_ = Process::kNoReplySlot;
}

}  // namespace lona::vm
