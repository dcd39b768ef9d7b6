// SPDX-License-Identifier: BSD-2-Clause
// Which member of the family of interfaces this is: options that add methods, and so move the
// numbers of those behind them. This file says what the kernel has by default and what user
// programs start from; the build of another kernel puts a file of this name in front of it.
#pragma once

namespace lona::abi {

struct Configuration {
  bool iommu = false;           // I/O spaces and I/O page tables
  bool hardware_debug = false;  // breakpoints and single-stepping
  unsigned domains = 1;         // scheduling domains; changes no number
};

inline constexpr Configuration kConfiguration{};

}  // namespace lona::abi
