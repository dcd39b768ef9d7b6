// SPDX-License-Identifier: BSD-2-Clause
// What does each operation of the kernel cost in instructions? Prints `name<TAB>instructions`.
#include "bench/kernel/rows.hpp"
#include "tests/kernel/harness.hpp"

namespace lona::test {

void check(bool condition, const char* text, const char* file, int line) {
  if (condition) return;
  print_failure(text, file, line);
  print("\r\n");
}

}  // namespace lona::test

void root_main(const lona::abi::BootInfo* boot_info) {
  using namespace lona;
  test::info = boot_info;
  abi::adopt_kernel_labels(abi::kernel_has_iommu_labels(abi::kSlotInitIpcBuffer));
  bench::null_rows();
  bench::invocation_rows();
  bench::yield_rows();
  bench::call_rows();
  bench::send_and_signal_rows();
  bench::mapping_rows();
  bench::retype_rows();
  bench::cnode_rows();
  bench::thread_rows();
  bench::space_rows();
  bench::fault_rows();
  bench::interrupt_rows();
  test::print("end of benchmark\r\n");
  for (;;) (void)abi::wait(test::make(abi::ObjectType::kNotification));
}
