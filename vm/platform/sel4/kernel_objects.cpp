// SPDX-License-Identifier: BSD-2-Clause
// Slots for capabilities, and calls of objects, of this realm.
#include <algorithm>

#include "abi/sel4/objects.hpp"
#include "vm/platform/sel4/kernel_answer.hpp"
#include "vm/platform/sel4/manager.hpp"
#include "vm/platform/sel4/platform_state.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm::platform {

namespace {

struct Slot {
  std::uint16_t use;  // never 0 again once it was taken
  bool taken;
  bool made;  // the manager knows it
};
// In pages of their own, because few realms need them.
constinit Slot* g_slots = nullptr;
constinit std::uint32_t g_next = 0;
constinit SpinLock g_lock;

std::uint16_t next_use(std::uint16_t use) {
  return use == 0xffff ? std::uint16_t{1} : static_cast<std::uint16_t>(use + 1);
}

std::uint32_t slot_count() {
  return std::uint32_t{1} << slots_depth();
}

}  // namespace

Lost::Lost(std::uint64_t target)
    : slot_(static_cast<std::uint32_t>(target - abi::kObjectSlots)),
      use_(target < abi::kObjectSlots ? std::uint16_t{0}
                                      : static_cast<std::uint16_t>(slot_use(slot_))) {}

void Lost::notice() const {
  if (use_ != 0) (void)give_slot_of_use(slot_, use_);
}

// The kernel looks at where a copy is to go before it looks at what is to be copied.
bool Lost::gone() const {
  const abi::SlotAddress place{abi::kRealmSlotObjects, slot_, slots_depth()};
  return use_ != 0 && (slot_use(slot_) != use_ ||
                       abi::cnode_copy(place, place, abi::kAllRights) != abi::Error::kDeleteFirst);
}

abi::MessageWords put_words(std::span<const std::uint64_t> words, abi::IpcBuffer& buffer) {
  abi::Word first[abi::kMsgRegisters] = {};
  for (std::size_t at = 0; at < words.size(); ++at) {
    (at < abi::kMsgRegisters ? first[at] : buffer.msg[at]) = words[at];
  }
  return {first[0], first[1], first[2], first[3]};
}

void take_words(KernelAnswer& answer, const abi::Message& message, const abi::IpcBuffer& buffer) {
  static_assert(std::size(KernelAnswer{}.words) == abi::kMsgMaxLength);
  answer.failed = message.info.raw() == abi::kCallFailed;
  answer.info = message.info.raw();
  answer.badge = message.badge;
  if (answer.failed) return;
  answer.words[0] = message.words.mr0;
  answer.words[1] = message.words.mr1;
  answer.words[2] = message.words.mr2;
  answer.words[3] = message.words.mr3;
  const unsigned length = std::min(message.info.length(), abi::kMsgMaxLength);
  for (unsigned at = abi::kMsgRegisters; at < length; ++at) answer.words[at] = buffer.msg[at];
}

unsigned slots_depth() {
  return abi::object_bits(start_block().cspace_bits);
}
std::uint64_t slots_cnode() {
  return abi::kRealmSlotObjects;
}
std::uint64_t slot_capability(std::uint32_t slot) {
  return abi::kObjectSlots + slot;
}

std::uint32_t take_slot() {
  const Guard guard(g_lock);
  if (g_slots == nullptr) {
    g_slots = static_cast<Slot*>(map_pages(whole_pages(slot_count() * sizeof(Slot))));
    if (g_slots == nullptr) return kNoSlot;
  }
  for (std::uint32_t tries = 0; tries < slot_count(); ++tries) {
    const std::uint32_t at = g_next++ % slot_count();
    Slot& slot = g_slots[at];
    if (slot.taken) continue;
    slot.taken = true;
    slot.made = false;
    slot.use = next_use(slot.use);
    return at;
  }
  return kNoSlot;
}

void give_slot(std::uint32_t number) {
  if (g_slots == nullptr || number >= slot_count()) return;
  Slot& slot = g_slots[number];
  (void)abi::cnode_delete({abi::kRealmSlotObjects, number, slots_depth()});
  if (slot.made) (void)ask_manager(abi::Request::kFreeObject, 1, {number, 0, 0, 0});
  const Guard guard(g_lock);
  slot.taken = slot.made = false;
}

bool give_slot_of_use(std::uint32_t number, std::uint32_t use) {
  if (g_slots == nullptr || number >= slot_count()) return false;
  {
    const Guard guard(g_lock);
    if (!g_slots[number].taken || g_slots[number].use != use) return false;
    g_slots[number].use = next_use(g_slots[number].use);
  }
  give_slot(number);
  return true;
}

std::uint32_t slots_taken() {
  const Guard guard(g_lock);
  std::uint32_t taken = 0;
  for (std::uint32_t at = 0; g_slots != nullptr && at < slot_count(); ++at) {
    taken += g_slots[at].taken ? 1 : 0;
  }
  return taken;
}

std::uint32_t slot_use(std::uint32_t number) {
  if (g_slots == nullptr || number >= slot_count() || !g_slots[number].taken) return 0;
  return g_slots[number].use;
}

bool slot_is_made(std::uint32_t number) {
  return slot_use(number) != 0 && g_slots[number].made;
}

RealmError make_object(std::uint32_t slot, std::uint64_t type, unsigned size_bits) {
  const abi::Status status = ask_manager(abi::Request::kMakeObject, 3, {type, size_bits, slot, 0});
  g_slots[slot].made = status == abi::Status::kOk;
  return error_of(status);
}

RealmError make_irq_handler(std::uint32_t slot, std::uint64_t interrupt) {
  return error_of(ask_manager(abi::Request::kMakeIrqHandler, 2, {interrupt, slot, 0, 0}));
}

RealmError give_sched_control(std::uint32_t slot, std::uint64_t core) {
  return error_of(ask_manager(abi::Request::kGiveSchedControl, 2, {core, slot, 0, 0}));
}

RealmError offer_capability(std::uint32_t slot, std::uint32_t realm, std::uint64_t rights,
                            std::uint64_t badge, std::uint64_t& number) {
  Exchange exchange{{slot, realm, rights, badge}};
  const abi::Status status = exchange.ask(abi::Request::kOfferCapability, 4);
  number = exchange.words[0];
  return error_of(status);
}

RealmError take_capability(std::uint32_t slot, std::uint32_t realm, std::uint64_t number,
                           std::uint64_t rights, bool& is_endpoint) {
  Exchange exchange{{realm, number, rights, slot}};
  const abi::Status status = exchange.ask(abi::Request::kTakeCapability, 4);
  g_slots[slot].made = status == abi::Status::kOk;
  is_endpoint = exchange.words[0] == static_cast<std::uint64_t>(abi::ObjectType::kEndpoint);
  return error_of(status);
}

std::size_t lost_capabilities(std::span<std::uint32_t> slots) {
  Exchange exchange;
  (void)exchange.ask(abi::Request::kLostCapabilities, 0);
  const std::size_t count = std::min<std::size_t>(exchange.words[0], slots.size());
  for (std::size_t at = 0; at < count; ++at) {
    slots[at] = static_cast<std::uint32_t>(exchange.words[at + 1]);
  }
  return count;
}

RealmError give_ports(std::uint32_t slot, std::uint64_t first, std::uint64_t last) {
  return error_of(ask_manager(abi::Request::kGivePorts, 3, {first, last, slot, 0}));
}

void kernel_call(KernelAnswer& answer, std::uint64_t target, std::uint64_t label,
                 std::span<const std::uint64_t> capabilities,
                 std::span<const std::uint64_t> words) {
  for (std::size_t at = 0; at < capabilities.size(); ++at) {
    abi::ipc_buffer().caps_or_badges[at] = capabilities[at];
  }
  const abi::MessageWords first = put_words(words, abi::ipc_buffer());
  const abi::MessageInfo info(abi::detail::wire_label(static_cast<abi::Label>(label)), 0,
                              static_cast<unsigned>(capabilities.size()),
                              static_cast<unsigned>(words.size()));
  const Lost lost(target);
  take_words(answer, abi::call(target, info, first), abi::ipc_buffer());
  if (answer.failed) lost.notice();
}

void send_now(std::uint64_t target, std::uint64_t info, std::span<const std::uint64_t> words) {
  const abi::MessageWords first = put_words(words, abi::ipc_buffer());
  abi::nb_send(target, abi::MessageInfo(info), first);
}

void receive_now(KernelAnswer& answer, std::uint64_t source, std::uint64_t reply) {
  const Lost lost(source);
  // The kernel leaves the info as it was when there is no message.
  constexpr std::uint64_t kNothing = abi::kCallFailed - 1;
  const abi::Message message =
      abi::system_call(abi::Syscall::kNBRecv, source, abi::MessageInfo(kNothing), {}, reply);
  take_words(answer, message, abi::ipc_buffer());
  answer.nothing = message.info.raw() == kNothing;
  if (answer.failed) lost.notice();
}

}  // namespace lona::vm::platform
