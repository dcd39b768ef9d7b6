// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/arch/x86_64/cores.hpp"

extern "C" {
extern const char kernel_stack_top[], fault_stack_top[];
}

namespace lona::kernel {

namespace {

constinit Core first_core{};

}  // namespace

Core& boot_core() {
  ArchCore& arch = first_core.arch;
  arch.self = &first_core;
  arch.kernel_stack_top = reinterpret_cast<std::uint64_t>(kernel_stack_top);
  arch.fault_stack_top = reinterpret_cast<std::uint64_t>(fault_stack_top);
  return first_core;
}

}  // namespace lona::kernel
