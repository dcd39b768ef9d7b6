// SPDX-License-Identifier: BSD-2-Clause
// Helpers of a realm: threads that wait in the kernel for its processes, so that its workers do
// not.
//
// A helper runs in the realm's address space with its capabilities, like a worker, on a small part
// of the realm's time (cpu_share.hpp). They are made one after the other, when the realm asks for
// one, of its memory, and stay until its end.
#include "manager/cpu_share.hpp"
#include "manager/own_thread.hpp"
#include "manager/realm.hpp"

namespace lona::manager {

namespace {

using abi::Error;
using abi::ObjectType;
using abi::Status;

// Until it gets its part.
constexpr ThreadShare kNoTimeYet{0, 100, 1'000'000};

}  // namespace

Status Realm::make_helper(const RealmParts& parts, std::uint64_t number) {
  if (helper_count() == abi::most_helpers(cspace_bits_)) {
    return Status::kTooMany;
  }
  if (number != helper_count()) {
    return Status::kBadState;
  }
  if (const Status ready = prepare_objects(); ready != Status::kOk) {
    return ready;
  }
  const std::uint64_t free = memory_.free_bytes();
  Helper& helper = helpers_[number];
  const Status status = build_helper(helper, parts, number);
  if (status == Status::kOk && charge(free - memory_.free_bytes())) {
    helper_count_.store(number + 1, std::memory_order_release);
    return Status::kOk;
  }
  memory_.destroy(helper.tcb);
  memory_.destroy(helper.sched_context);
  memory_.destroy_frames(helper.pages);
  memory_.drop_cap(helper.fault_cap);
  helper = {};
  return status == Status::kOk ? Status::kOverLimit : status;
}

Status Realm::build_helper(Helper& helper, const RealmParts& parts, std::uint64_t number) {
  const auto pages = memory_.make_frames(abi::kPageBits, 2);
  if (!pages) {
    return Status::kOutOfMemory;
  }
  helper.pages = *pages;
  const auto tcb = memory_.make(ObjectType::kTcb);
  if (!tcb) {
    return Status::kOutOfMemory;
  }
  helper.tcb = *tcb;
  const auto context = make_sched_context(memory_, parts.sched_control, kNoTimeYet);
  if (!context) {
    return Status::kOutOfMemory;
  }
  helper.sched_context = *context;
  const auto fault_cap = memory_.badge_cap(
      endpoint_.cap, abi::kAllRights, kFaultBadge | (abi::kFirstHelper + number) << kBadgeKindBits);
  if (!fault_cap) {
    return Status::kOutOfMemory;
  }
  helper.fault_cap = *fault_cap;
  const abi::Address buffer = abi::helper_area(number);
  if (space_.map(memory_, pages->first, buffer, abi::kReadWrite) != Error::kNone ||
      space_.map(memory_, pages->first + 1, abi::helper_stack(number).start, abi::kReadWrite) !=
          Error::kNone) {
    return Status::kOutOfMemory;
  }
  const bool good =
      abi::tcb_configure(tcb->cap, cspace_root_.cap, cspace_guard(), space_.cap(), buffer,
                         pages->first) == Error::kNone &&
      abi::tcb_set_sched_params(tcb->cap, abi::kSlotInitTcb, kHelperPriority, kHelperPriority,
                                context->cap, *fault_cap) == Error::kNone &&
      aim_helper(helper, parts, number) == Error::kNone;
  return good ? Status::kOk : Status::kBadState;
}

Error Realm::aim_helper(const Helper& helper, const RealmParts& parts, std::uint64_t number) const {
  abi::UserRegisters registers{};
  registers.rip = parts.image.elf().entry();
  registers.rsp = abi::helper_stack(number).end() - 8;  // as if called
  registers.rdi = abi::helper_area(number);
  registers.rsi = abi::kFirstHelper + number;
  registers.rflags = 0x202;
  return abi::tcb_write_registers(helper.tcb.cap, false, abi::kUserRegisterCount, registers);
}

// Whoever it has called may still have its time.
Status Realm::restart_helper(const RealmParts& parts, std::uint64_t number) {
  if (number >= helper_count()) {
    return Status::kBadState;
  }
  const Helper& helper = helpers_[number];
  const bool good =
      abi::tcb_suspend(helper.tcb.cap) == Error::kNone &&
      abi::sched_context_unbind(helper.sched_context.cap) == Error::kNone &&
      abi::sched_context_bind(helper.sched_context.cap, helper.tcb.cap) == Error::kNone &&
      aim_helper(helper, parts, number) == Error::kNone;
  return good ? Status::kOk : Status::kBadState;
}

void Realm::suspend_helpers() const {
  for (std::size_t helper = 0; helper < helper_count(); ++helper) {
    (void)abi::tcb_suspend(helpers_[helper].tcb.cap);
  }
}

void Realm::resume_helper(std::size_t number) const {
  (void)abi::tcb_resume(helpers_[number].tcb.cap);
}

void Realm::give_helpers_time(const RealmParts& parts, ThreadShare share) const {
  for (std::size_t at = 0; at < helper_count(); ++at) {
    (void)configure_sched_context(parts.sched_control, helpers_[at].sched_context.cap, share);
  }
}

}  // namespace lona::manager
