// SPDX-License-Identifier: BSD-2-Clause
// The kernel's objects of a realm: slots for capabilities, and calls of the objects behind them.
// The host has neither slots nor objects: take_slot() gives none.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "vm/platform/platform.hpp"

namespace lona::vm::platform {

// Slots are small numbers. A slot that is taken is empty, or holds what was put there.
inline constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};
std::uint32_t take_slot();
// Deletes what is in it, and ends an object that make_object put there.
void give_slot(std::uint32_t slot);
// Only when it is still the one that was taken then; false: it is not.
bool give_slot_of_use(std::uint32_t slot, std::uint32_t use);
// How many are taken.
std::uint32_t slots_taken();
// How often it was taken, this time included; 0: it is not taken.
std::uint32_t slot_use(std::uint32_t slot);
// Did make_object put something there?
bool slot_is_made(std::uint32_t slot);

// What the manager does on request. The slots are taken and empty.
RealmError make_object(std::uint32_t slot, std::uint64_t type, unsigned size_bits);
RealmError make_irq_handler(std::uint32_t slot, std::uint64_t interrupt);
RealmError give_sched_control(std::uint32_t slot, std::uint64_t core);
RealmError give_ports(std::uint32_t slot, std::uint64_t first, std::uint64_t last);

// Endpoints and notifications that go from realm to realm (vm/realm/capabilities.hpp): the number
// under which the realm may take what is in the slot; what another realm has offered, into the
// slot; the slots whose capabilities have ended since, which are still to be given.
RealmError offer_capability(std::uint32_t slot, std::uint32_t realm, std::uint64_t rights,
                            std::uint64_t badge, std::uint64_t& number);
RealmError take_capability(std::uint32_t slot, std::uint32_t realm, std::uint64_t number,
                           std::uint64_t rights, bool& is_endpoint);
std::size_t lost_capabilities(std::span<std::uint32_t> slots);

// The capability in a slot, and the CNode that the slots are in, as the kernel names them; a slot
// within that CNode has this depth.
std::uint64_t slot_capability(std::uint32_t slot);
std::uint64_t slots_cnode();
unsigned slots_depth();

// A call of a method (abi::Label) of the object. It must not be of an endpoint: the worker would
// wait there. `failed`: the capability is not there any more, or not for that.
struct KernelAnswer {
  bool failed = true;
  bool nothing = false;  // of receive_now: nobody was sending
  std::uint64_t info = 0;
  std::uint64_t badge = 0;
  std::uint64_t words[120];
};
void kernel_call(KernelAnswer& answer, std::uint64_t target, std::uint64_t label,
                 std::span<const std::uint64_t> capabilities, std::span<const std::uint64_t> words);
// Messages that do not wait: to who waits for them already, and from who does.
void send_now(std::uint64_t target, std::uint64_t info, std::span<const std::uint64_t> words);
void receive_now(KernelAnswer& answer, std::uint64_t source, std::uint64_t reply);

// What the first realm can have a debug kernel do. kUnsupported: the kernel is none; kNotAllowed:
// the realm is not the first one. The argument is a character, or a thread's capability with its
// name.
enum class DebugCall : std::uint8_t { kPutChar, kDumpScheduler, kNameThread, kHalt };
RealmError debug_call(DebugCall call, std::uint64_t argument, std::string_view name);

// Calls that wait. A helper, a thread of the realm's beside its workers, makes the call and waits
// in the kernel. There are only so many.
inline constexpr std::uint32_t kMostHelpers = 32;
enum class WaitingCall : std::uint8_t { kSend, kReceive, kCall, kWait };
struct StartedCall {
  RealmError error;
  std::uint32_t helper;
};
// `reply`: what a message that is received can be answered by.
StartedCall start_call(WaitingCall kind, std::uint64_t target, std::uint64_t reply,
                       std::uint64_t info, std::span<const std::uint64_t> words);
// Calls may have ended: for the first worker, whose sleep that ends. True once from `take`.
bool calls_have_ended();
bool take_ended_calls();
bool call_has_ended(std::uint32_t helper);
// Of a call that has ended; the helper is free then.
void take_answer(KernelAnswer& answer, std::uint32_t helper);
// Nobody wants the answer: the helper is free. A message may have been taken, or sent, already.
void give_up_call(std::uint32_t helper);

}  // namespace lona::vm::platform
