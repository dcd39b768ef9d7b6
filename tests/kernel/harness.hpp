// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include <string_view>

#include "abi/sel4/fault.hpp"
#include "systems/root_task.hpp"

// What the tests share: output, checks, kernel objects out of the largest untyped, and threads that
// run a function of this program.

namespace lona::test {

using abi::CPtr;
using abi::Error;
using abi::ObjectType;
using abi::Word;

using root::info;
using root::new_slot;
using root::slot_address;

void print(std::string_view text);
void print_number(Word number);

// A failed check ends nothing, so that the later ones still run; it is counted for its test.
void check(bool condition, const char* text, const char* file, int line);
// What a failed check says, without the end of the line.
void print_failure(const char* text, const char* file, int line);
#define CHECK(condition) ::lona::test::check((condition), #condition, __FILE__, __LINE__)
#define CHECK_OK(call) CHECK((call) == ::lona::abi::Error::kNone)

struct Test {
  const char* name;
  void (*run)();
  abi::MethodOption option = abi::MethodOption::Always;
};

// A new object; a failure of the kernel to make it is a failed check and gives slot 0.
CPtr make(ObjectType type, Word size_bits = 0);
// The RAM untyped that objects come from.
CPtr memory_untyped();
void remove(CPtr slot);

// Tables for `address` in the root task's space down to page tables (2 MiB steps).
void map_tables_at(CPtr vspace, Word address);

// An address range of the root task that nothing uses.
Word unused_address();

inline constexpr Word kFaultBadge = 77;

class Thread {
 public:
  using Entry = void (*)(Word argument);

  // Lower priority than the root task; with its own scheduling context unless `passive`.
  explicit Thread(Entry entry, Word argument = 0, Word priority = 200, bool passive = false,
                  Word core = 0);
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread();

  void start();
  CPtr tcb() const { return tcb_; }
  CPtr sched_context() const { return sched_context_; }
  // Messages about faults arrive here, with kFaultBadge.
  CPtr fault_endpoint() const { return fault_endpoint_; }
  abi::UserRegisters& registers() { return registers_; }

 private:
  CPtr tcb_, sched_context_, fault_endpoint_;
  unsigned stack_;
  abi::UserRegisters registers_{};
};

// How a thread of the tests ends: it waits for ever.
[[noreturn]] void park();

// A scheduling context without limit on a core.
void place_on_core(CPtr sched_context, Word core);

Word read_tsc();
Word ticks_per_ms();

}  // namespace lona::test
