// SPDX-License-Identifier: BSD-2-Clause
#include "tests/kernel/harness.hpp"

#include <cstring>

namespace lona::test {

namespace {

constexpr unsigned kStacks = 16, kStackBytes = 8192;
alignas(16) char stacks[kStacks][kStackBytes];
bool stack_used[kStacks];

CPtr console = 0;
CPtr untyped = 0;
CPtr idle_endpoint = 0;
Word next_address = 0x100'0000'0000;

}  // namespace

void print(std::string_view text) {
  constexpr Word kPort = 0x3f8;
  if (console == 0) {
    console = new_slot();
    if (abi::io_port_control_issue(abi::kSlotIoPortControl, kPort, kPort + 7,
                                   slot_address(console)) != Error::kNone) {
      __builtin_trap();
    }
  }
  for (const char c : text) {
    while ((abi::io_port_in8(console, kPort + 5).value & 0x20) == 0) {
    }
    (void)abi::io_port_out8(console, kPort, static_cast<unsigned char>(c));
  }
}

void print_number(Word number) {
  root::print_number(number, print);
}

void print_failure(const char* text, const char* file, int line) {
  print("failed: ");
  print(text);
  print(" at ");
  print(file);
  print(":");
  print_number(static_cast<Word>(line));
}

CPtr memory_untyped() {
  if (untyped == 0) untyped = root::largest_untyped();
  return untyped;
}

CPtr make(ObjectType type, Word size_bits) {
  const CPtr slot = new_slot();
  const Error error =
      abi::untyped_retype(memory_untyped(), type, size_bits, {abi::kSlotInitCNode, 0, 0}, slot, 1);
  CHECK(error == Error::kNone);
  return error == Error::kNone ? slot : 0;
}

void remove(CPtr slot) {
  CHECK_OK(abi::cnode_delete(slot_address(slot)));
}

void map_tables_at(CPtr vspace, Word address) {
  CHECK_OK(abi::pdpt_map(make(ObjectType::kPdpt), vspace, address));
  CHECK_OK(abi::page_directory_map(make(ObjectType::kPageDirectory), vspace, address));
  CHECK_OK(abi::page_table_map(make(ObjectType::kPageTable), vspace, address));
}

Word unused_address() {
  next_address += Word{1} << 39;
  return next_address;
}

Thread::Thread(Entry entry, Word argument, Word priority, bool passive, Word core)
    : tcb_(make(ObjectType::kTcb)),
      sched_context_(make(ObjectType::kSchedContext, abi::kMinSchedContextBits)),
      fault_endpoint_(make(ObjectType::kEndpoint)),
      stack_(0) {
  while (stack_ + 1 < kStacks && stack_used[stack_]) ++stack_;
  stack_used[stack_] = true;
  const CPtr handler = new_slot();
  CHECK_OK(abi::cnode_mint(slot_address(handler), slot_address(fault_endpoint_), abi::kAllRights,
                           kFaultBadge));
  CHECK_OK(abi::tcb_set_space(tcb_, handler, abi::kSlotInitCNode, abi::CNodeData{0},
                              abi::kSlotInitVSpace));
  CHECK_OK(abi::tcb_set_priority(tcb_, abi::kSlotInitTcb, priority));
  place_on_core(sched_context_, core);
  if (!passive) CHECK_OK(abi::sched_context_bind(sched_context_, tcb_));
  registers_.rip = reinterpret_cast<Word>(entry);
  registers_.rdi = argument;
  // As after a call: 8 below a multiple of 16.
  registers_.rsp = reinterpret_cast<Word>(stacks[stack_] + kStackBytes) - 8;
  registers_.rflags = 0x202;
}

void Thread::start() {
  CHECK_OK(abi::tcb_write_registers(tcb_, true, abi::kUserRegisterCount, registers_));
}

Thread::~Thread() {
  remove(tcb_);
  remove(sched_context_);
  stack_used[stack_] = false;
}

void place_on_core(CPtr sched_context, Word core) {
  CHECK_OK(abi::sched_control_configure(info->sched_control.start + core, sched_context, 5000, 5000,
                                        0, 0, 0));
}

[[noreturn]] void park() {
  for (;;) (void)abi::wait(idle_endpoint);
}

Word read_tsc() {
  std::uint32_t low, high;
  asm volatile("rdtsc" : "=a"(low), "=d"(high));
  return Word{high} << 32 | low;
}

namespace {

// The chunk with this identifier behind the boot info page.
const std::byte* find_chunk(abi::BootInfoId id) {
  const auto* at = reinterpret_cast<const std::byte*>(info) + (1 << abi::kBootInfoFrameBits);
  const auto* end = at + info->extra_len;
  while (at < end) {
    abi::BootInfoHeader header;
    std::memcpy(&header, at, sizeof(header));
    if (header.id == static_cast<Word>(id)) return at;
    at += header.len;
  }
  return nullptr;
}

}  // namespace

Word ticks_per_ms() {
  const std::byte* chunk = find_chunk(abi::BootInfoId::kX86TscFreq);
  if (chunk == nullptr) return 0;
  std::uint32_t mhz;
  std::memcpy(&mhz, chunk + sizeof(abi::BootInfoHeader), sizeof(mhz));
  return Word{mhz} * 1000;
}

}  // namespace lona::test
