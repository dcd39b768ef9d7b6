// SPDX-License-Identifier: BSD-2-Clause
// The host's kernel is another one.
#include "vm/platform/kernel_objects.hpp"

namespace lona::vm::platform {

std::uint32_t take_slot() {
  return kNoSlot;
}
void give_slot(std::uint32_t) {}
bool give_slot_of_use(std::uint32_t, std::uint32_t) {
  return false;
}
std::uint32_t slots_taken() {
  return 0;
}
std::uint32_t slot_use(std::uint32_t) {
  return 0;
}
bool slot_is_made(std::uint32_t) {
  return false;
}
RealmError make_object(std::uint32_t, std::uint64_t, unsigned) {
  return RealmError::kUnsupported;
}
RealmError make_irq_handler(std::uint32_t, std::uint64_t) {
  return RealmError::kUnsupported;
}
RealmError give_sched_control(std::uint32_t, std::uint64_t) {
  return RealmError::kUnsupported;
}
RealmError offer_capability(std::uint32_t, std::uint32_t, std::uint64_t, std::uint64_t,
                            std::uint64_t&) {
  return RealmError::kUnsupported;
}
RealmError take_capability(std::uint32_t, std::uint32_t, std::uint64_t, std::uint64_t, bool&) {
  return RealmError::kUnsupported;
}
std::size_t lost_capabilities(std::span<std::uint32_t>) {
  return 0;
}
RealmError give_ports(std::uint32_t, std::uint64_t, std::uint64_t) {
  return RealmError::kUnsupported;
}
std::uint64_t slot_capability(std::uint32_t) {
  return 0;
}
std::uint64_t slots_cnode() {
  return 0;
}
unsigned slots_depth() {
  return 0;
}
void kernel_call(KernelAnswer&, std::uint64_t, std::uint64_t, std::span<const std::uint64_t>,
                 std::span<const std::uint64_t>) {}
void send_now(std::uint64_t, std::uint64_t, std::span<const std::uint64_t>) {}
void receive_now(KernelAnswer&, std::uint64_t, std::uint64_t) {}
RealmError debug_call(DebugCall, std::uint64_t, std::string_view) {
  return RealmError::kUnsupported;
}
StartedCall start_call(WaitingCall, std::uint64_t, std::uint64_t, std::uint64_t,
                       std::span<const std::uint64_t>) {
  return {RealmError::kUnsupported, 0};
}
bool calls_have_ended() {
  return false;
}
bool take_ended_calls() {
  return false;
}
bool call_has_ended(std::uint32_t) {
  return false;
}
void take_answer(KernelAnswer&, std::uint32_t) {}
void give_up_call(std::uint32_t) {}

}  // namespace lona::vm::platform
