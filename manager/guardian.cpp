// SPDX-License-Identifier: BSD-2-Clause
#include "manager/guardian.hpp"

#include "manager/realms.hpp"
#include "manager/received.hpp"

namespace lona::manager {

namespace {

// Above all threads but the first.
constexpr ThreadShare kShare{252, 10'000, 10'000};

}  // namespace

base::Expected<void, MemoryError> Guardian::start(Memory& memory, abi::CPtr control,
                                                  abi::Word area) {
  endpoint_ = TRY(memory.make(abi::ObjectType::kEndpoint));
  reply_ = TRY(memory.make(abi::ObjectType::kReply));
  TRY(thread_.start(memory, shared_.own, control, area, kShare, run, this, 0));
  if (abi::tcb_set_space(abi::kSlotInitTcb, TRY(handler(memory, kTimer)), memory.cspace().root(),
                         abi::CNodeData(0), abi::kSlotInitVSpace) != abi::Error::kNone) {
    return base::fail(MemoryError::refused);
  }
  return {};
}

base::Expected<abi::CPtr, MemoryError> Guardian::handler(Memory& memory, abi::Word who) const {
  return memory.badge_cap(endpoint_.cap, abi::kCanWrite | abi::kCanGrantReply, who);
}

void Guardian::run(void* self) {
  auto& guardian = *static_cast<Guardian*>(self);
  while (true) {
    guardian.serve(abi::recv(guardian.endpoint_.cap, guardian.reply_.cap));
  }
}

// The thread stands still, so nothing that it has taken is given back meanwhile.
void Guardian::serve(const abi::Message& fault) {
  const Received received(fault);
  const auto realm = static_cast<std::uint32_t>(fault.badge);
  const bool service = (fault.badge & kServices) != 0;
  base::FixedText<abi::kEndTextMax> text;
  text << "the manager's thread for ";
  if (service) {
    text << "realm " << shared_.realms.name_of(realm);
  } else {
    text << (fault.badge == kTimer ? "the timer" : "reserves");
  }
  text << " faulted: ";
  describe_own_fault(text, received.label, received.content(), own_function_names());
  shared_.log.urgent(text.text());
  if (service && shared_.realms.bury(realm, text.text())) {
    shared_.log.urgent("realm ", shared_.realms.name_of(realm), " stopped, with all below it");
    return;
  }
  shared_.realms.suspend_all();
  shared_.log.urgent("the manager cannot be trusted any more: realm init stopped, and all others");
}

}  // namespace lona::manager
