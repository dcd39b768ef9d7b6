// SPDX-License-Identifier: BSD-2-Clause
// Kernel memory and physical addresses. The kernel sees all RAM through a window at a fixed
// address; in host tests memory is its own "physical" memory.
#pragma once

#include <cstdint>

namespace lona::kernel {

using Word = std::uint64_t;
using PhysAddr = std::uint64_t;

#if __STDC_HOSTED__
inline constexpr Word kPhysWindow = 0;
#else
inline constexpr Word kPhysWindow = 0xffff'ff00'0000'0000;
#endif

template <typename T = void>
inline T* from_phys(PhysAddr address) {
  return reinterpret_cast<T*>(address + kPhysWindow);
}
inline PhysAddr to_phys(const void* pointer) {
  return reinterpret_cast<Word>(pointer) - kPhysWindow;
}

}  // namespace lona::kernel
