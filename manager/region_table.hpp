// SPDX-License-Identifier: BSD-2-Clause
// What may be at which address of a realm, and what a fault there means.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "abi/lona/address_map.hpp"

namespace lona::manager {

enum class RegionType : std::uint8_t {
  null_guard,
  vm_text,
  vm_constants,
  vm_data,
  core_constants,
  core_data,
  start_block,
  ipc_buffer,
  guard,
  stack,
  archive,
  pool,
  device_memory,
  channel,
  own_level,
  inherited,
  shared_region,
  shared_binary,
};

// There is no combination of write and execute, so no region can have both.
enum class RegionRights : std::uint8_t { none, read_only, read_write, read_execute };

struct Region {
  abi::AddressRange range;
  RegionType type;
  RegionRights rights;
};

enum class Access : std::uint8_t { read, write, execute };

[[nodiscard]] std::string_view describe(RegionType type);
[[nodiscard]] std::string_view describe(Access access);

// Why an access faulted.
enum class Violation : std::uint8_t {
  null_pointer,
  guard_page,
  read_only,       // write to a region without write rights
  not_executable,  // fetch from a region without execute rights
  not_mapped,      // the region allows it, but the page was never asked for
  inherited,       // write to what belongs to a realm above
  not_inherited,   // the realm above has nothing there
  no_access,       // the region allows nothing
  outside,         // no region at all
};

[[nodiscard]] std::string_view describe(Violation violation);

class RegionTable {
 public:
  static constexpr std::size_t kMaxRegions = 64;

  // False when the region is empty, not made of whole pages, overlaps another one, or the table
  // is full.
  [[nodiscard]] bool add(const Region& region);

  [[nodiscard]] const Region* find(abi::Address address) const;
  [[nodiscard]] Violation classify(abi::Address address, Access access) const;

 private:
  std::array<Region, kMaxRegions> regions_{};  // by address
  std::size_t count_ = 0;
};

}  // namespace lona::manager
