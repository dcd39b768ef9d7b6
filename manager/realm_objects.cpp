// SPDX-License-Identifier: BSD-2-Clause
// Objects of the kernel's that a realm has asked for.
//
// An object is made of the realm's memory and its only capability moves into the realm's object
// slots, where the realm does with it what it likes. The manager keeps the block: revoking that is
// the end of the object, of what was made of it, and of all capabilities to them. Of what can be
// sent to other realms it keeps the capability too, and the realm has a copy.
#include "manager/realm.hpp"

namespace lona::manager {

namespace {

using abi::Error;
using abi::ObjectType;
using abi::Status;

// Blocks of address spaces are marked, because a realm can have but few of those.
constexpr BlockId kAddressSpaceMark = BlockId{1} << 31;

Status status_of(Error error) {
  switch (error) {
    case Error::kNone:
      return Status::kOk;
    case Error::kDeleteFirst:
    case Error::kRevokeFirst:
      return Status::kBadState;
    case Error::kNotEnoughMemory:
      return Status::kOutOfMemory;
    default:
      return Status::kBadArgument;
  }
}

Status status_of(MemoryError error) {
  return error == MemoryError::out_of_memory ? Status::kOutOfMemory : Status::kTooMany;
}

constexpr unsigned kRootBits = 1;
constexpr unsigned kLeafBits = std::countr_zero(abi::kObjectSlots);

}  // namespace

abi::CNodeData Realm::cspace_guard() {
  return abi::CNodeData(0, abi::kWordBits - kRootBits - kLeafBits);
}

Status Realm::prepare_objects() {
  memory_.keep_slots_ready(64);
  if (cspace_root_.cap != 0) {
    return Status::kOk;
  }
  const unsigned bits = abi::object_bits(cspace_bits_);
  const std::uint64_t cost = std::uint64_t{1} << (bits + abi::kSlotBits);
  if (!charge(cost)) {
    return Status::kOverLimit;
  }
  auto node = memory_.make(ObjectType::kCNode, bits);
  auto root = memory_.make(ObjectType::kCNode, kRootBits);
  const auto entry = [&](std::uint64_t index, abi::CPtr cnode, unsigned cnode_bits) {
    const abi::CNodeData guard(0, kLeafBits - cnode_bits);
    return abi::cnode_mint({root->cap, index, kRootBits}, memory_.address_of(cnode),
                           abi::kAllRights, guard.raw()) == Error::kNone;
  };
  const bool joined = node && root && entry(0, cspace_.cap, cspace_bits_) &&
                      entry(1, node->cap, bits) &&
                      give_cap(abi::kRealmSlotObjects, node->cap, abi::kAllRights, 0);
  if (!joined) {
    if (root) {
      memory_.destroy(*root);
    }
    if (node) {
      memory_.destroy(*node);
    }
    discharge(cost);
    return Status::kOutOfMemory;
  }
  const abi::CNodeData guard = cspace_guard();
  for (std::size_t at = 0; at < worker_count_; ++at) {
    if (abi::tcb_set_space(workers_[at].tcb.cap, workers_[at].fault_cap, root->cap, guard,
                           space_.cap()) != Error::kNone) {
      return Status::kBadState;  // the kernel differs from what it says
    }
  }
  object_node_ = *node;
  cspace_root_ = *root;
  return Status::kOk;
}

Status Realm::make_object(const AsidPools& asids, const MakeObject& request, abi::CPtr* original) {
  if (request.slot >= objects_.size()) {
    return Status::kBadArgument;
  }
  const bool is_space = request.type == ObjectType::kPml4;
  if (is_space && address_spaces_ == abi::kMostAddressSpaces) {
    return Status::kTooMany;
  }
  if (const Status ready = prepare_objects(); ready != Status::kOk) {
    return ready;
  }
  if (objects_[request.slot] != kNoBlock) {
    return Status::kBadState;
  }
  const std::uint64_t cost = Memory::cost(request.type, request.size_bits);
  if (!charge(cost)) {
    return Status::kOverLimit;
  }
  auto made = memory_.make(request.type, request.size_bits);
  Error error = Error::kNone;
  if (made && is_space) {
    error = asids.assign(made->cap);
  } else if (made && request.type == ObjectType::kTcb && authority_ != 0) {
    error = abi::tcb_set_mc_priority(made->cap, abi::kSlotInitTcb, authority_);
  }
  if (made && error == Error::kNone) {
    error = original == nullptr ? memory_.hand_over(*made, object_slot(request.slot))
                                : abi::cnode_copy(object_slot(request.slot),
                                                  memory_.address_of(made->cap), abi::kAllRights);
  }
  if (!made || error != Error::kNone) {
    const Status why = made ? status_of(error) : status_of(made.error());
    if (made) {
      memory_.destroy(*made);
    }
    discharge(cost);
    return why;
  }
  if (original != nullptr) {
    *original = made->cap;
  }
  address_spaces_ += is_space ? 1 : 0;
  objects_[request.slot] = made->block | (is_space ? kAddressSpaceMark : 0);
  return Status::kOk;
}

Status Realm::free_object(std::uint64_t slot, abi::CPtr original) {
  if (slot >= objects_.size() || objects_[slot] == kNoBlock) {
    return Status::kBadState;
  }
  const bool is_space = (objects_[slot] & kAddressSpaceMark) != 0;
  const BlockId block = objects_[slot] & ~kAddressSpaceMark;
  memory_.drop_cap(original);
  discharge(memory_.take_back(block));
  address_spaces_ -= is_space ? 1 : 0;
  objects_[slot] = kNoBlock;
  return Status::kOk;
}

Status Realm::fill_slot(std::uint64_t slot, abi::SlotAddress source, abi::CapRights rights,
                        std::uint64_t badge) {
  return status_of(abi::cnode_mint(object_slot(slot), source, rights, badge));
}

void Realm::empty_slot(std::uint64_t slot) {
  (void)abi::cnode_delete(object_slot(slot));
}

Status Realm::make_irq_handler(const MakeIrqHandler& request) {
  if (const Status ready = prepare_objects(); ready != Status::kOk) {
    return ready;
  }
  const abi::SlotAddress slot = object_slot(request.slot);
  if (request.interrupt >= abi::kInterruptPins) {
    return status_of(
        abi::irq_control_get_msi(abi::kSlotIrqControl, slot, 0, 0, 0, 0, request.interrupt));
  }
  // As PCs have it: the old pins are edges, those of PCI levels that are active low.
  constexpr std::uint64_t kFirstOfPci = 16;
  const abi::Word is_pci = request.interrupt >= kFirstOfPci ? 1 : 0;
  return status_of(abi::irq_control_get_io_apic(
      abi::kSlotIrqControl, slot,
      {.io_apic = 0, .pin = request.interrupt, .level = is_pci, .polarity = is_pci},
      request.interrupt));
}

Status Realm::give_sched_control(const RealmParts& parts, const GiveSchedControl& request) {
  if (request.core >= worker_count_) {
    return Status::kBadArgument;
  }
  if (const Status ready = prepare_objects(); ready != Status::kOk) {
    return ready;
  }
  return status_of(abi::cnode_copy(object_slot(request.slot),
                                   memory_.address_of(parts.sched_control + request.core),
                                   abi::kAllRights));
}

// The kernel lets nobody have a port twice, so what the manager drives itself is safe from that;
// but not what the kernel drives, and not what the manager has looked at only once.
Status Realm::give_ports(const GivePorts& request) {
  struct Ports {
    std::uint64_t first, last;
  };
  constexpr Ports kForNobody[] = {
      {0x20, 0x21},   {0xa0, 0xa1}, {0x4d0, 0x4d1},  // interrupt controllers
      {0x40, 0x43},   {0x61, 0x61},                  // timer
      {0x70, 0x71},                                  // clock
      {0xcf8, 0xcff},                                // PCI configuration, reset
  };
  for (const Ports& ports : kForNobody) {
    if (request.first <= ports.last && ports.first <= request.last) {
      return Status::kNotAllowed;
    }
  }
  if (const Status ready = prepare_objects(); ready != Status::kOk) {
    return ready;
  }
  return status_of(abi::io_port_control_issue(abi::kSlotIoPortControl, request.first, request.last,
                                              object_slot(request.slot)));
}

bool Realm::end_call(std::uint64_t thread) {
  constexpr abi::Word kInstructionBytes = 2;  // of `syscall`
  const bool helps = thread >= abi::kFirstHelper;
  const std::uint64_t number = helps ? thread - abi::kFirstHelper : thread;
  if (number >= (helps ? helper_count() : worker_count_)) {
    return false;
  }
  const abi::CPtr tcb = helps ? helpers_[number].tcb.cap : workers_[number].tcb.cap;
  abi::UserRegisters registers{};
  if (abi::tcb_read_registers(tcb, false, abi::kUserRegisterCount, registers) != Error::kNone) {
    return false;
  }
  registers.rip += kInstructionBytes;
  registers.rsi = abi::kCallFailed;
  return abi::tcb_write_registers(tcb, true, abi::kUserRegisterCount, registers) == Error::kNone;
}

bool Realm::let_speak(std::uint64_t worker, abi::Address entry) {
  constexpr std::uint64_t kRoom = 16 << 10;  // what the VM needs of the stack
  constexpr std::uint64_t kUntouched = 256;  // below the stack pointer, of the function at work
  if (worker >= worker_count_) {
    return false;
  }
  for (std::size_t other = 0; other < worker_count_; ++other) {
    if (other != worker) {
      (void)abi::tcb_suspend(workers_[other].tcb.cap);
    }
  }
  suspend_helpers();
  const abi::CPtr tcb = workers_[worker].tcb.cap;
  abi::UserRegisters registers{};
  if (abi::tcb_read_registers(tcb, false, abi::kUserRegisterCount, registers) != Error::kNone) {
    return false;
  }
  // On a stack that has run out, or is none, it starts anew: it never returns.
  const abi::AddressRange stack = abi::worker_stack(worker);
  const std::uint64_t in_use = registers.rsp - kUntouched;
  const bool room = stack.contains(in_use) && in_use - stack.start >= kRoom;
  registers.rdi = registers.rip;
  registers.rsi = registers.rsp;
  registers.rip = entry;
  registers.rsp = base::align_down<std::uint64_t>(room ? in_use : stack.end(), 16) - 8;
  registers.rflags = 0x202;
  registers.fs_base = abi::worker_thread_block(worker);
  return abi::tcb_write_registers(tcb, true, abi::kUserRegisterCount, registers) == Error::kNone;
}

}  // namespace lona::manager
