// SPDX-License-Identifier: BSD-2-Clause
#include "vm/sched/kernel_objects.hpp"

#include <new>

#include "vm/platform/kernel_objects.hpp"
#include "vm/process/process.hpp"

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

void leave_kernel(Process& p) {
  if (p.reply_slot_ == Process::kNoReplySlot) return;
  // Without a caller that waits, it goes nowhere.
  platform::send_now(platform::slot_capability(p.reply_slot_),
                     kNoAnswerLabel << MessageInfo::kLabelShift, {});
  platform::give_slot(p.reply_slot_);
  p.reply_slot_ = Process::kNoReplySlot;
}

}  // namespace lona::vm
