// SPDX-License-Identifier: BSD-2-Clause
#include "manager/region_table.hpp"

#include <algorithm>

#include "base/checked.hpp"

namespace lona::manager {

std::string_view describe(RegionType type) {
  switch (type) {
    case RegionType::null_guard:
      return "null guard";
    case RegionType::vm_text:
      return "VM text";
    case RegionType::vm_constants:
      return "VM constants";
    case RegionType::vm_data:
      return "VM data";
    case RegionType::core_constants:
      return "core image constants";
    case RegionType::core_data:
      return "core image data";
    case RegionType::start_block:
      return "start block";
    case RegionType::ipc_buffer:
      return "IPC buffer";
    case RegionType::guard:
      return "stack guard";
    case RegionType::stack:
      return "worker stack";
    case RegionType::archive:
      return "archive";
    case RegionType::pool:
      return "process pool";
    case RegionType::device_memory:
      return "device memory";
    case RegionType::channel:
      return "channel";
    case RegionType::own_level:
      return "code and binaries of its own";
    case RegionType::inherited:
      return "code and binaries of the realms above";
    case RegionType::shared_region:
      return "shared region";
    case RegionType::shared_binary:
      return "shared binary";
  }
  return "unknown region";
}

std::string_view describe(Access access) {
  switch (access) {
    case Access::read:
      return "read";
    case Access::write:
      return "write";
    case Access::execute:
      return "execute";
  }
  return "access";
}

std::string_view describe(Violation violation) {
  switch (violation) {
    case Violation::null_pointer:
      return "null pointer";
    case Violation::guard_page:
      return "guard page, the native stack overflowed";
    case Violation::read_only:
      return "write to read-only memory";
    case Violation::not_executable:
      return "execute of memory that is not code";
    case Violation::not_mapped:
      return "memory that was not asked for";
    case Violation::inherited:
      return "write to inherited memory";
    case Violation::not_inherited:
      return "memory that no realm above has";
    case Violation::no_access:
      return "no access";
    case Violation::outside:
      return "outside of every region";
  }
  return "unknown violation";
}

bool RegionTable::add(const Region& region) {
  const auto end = base::checked_add<std::uint64_t>(region.range.start, region.range.size);
  if (count_ == regions_.size() || region.range.size == 0 || !end ||
      !base::is_aligned<std::uint64_t>(region.range.start | region.range.size, abi::kSmallPage)) {
    return false;
  }
  const auto last = regions_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto after = std::find_if(regions_.begin(), last, [&](const Region& other) {
    return other.range.end() > region.range.start;
  });
  if (after != last && after->range.start < *end) {
    return false;
  }
  std::move_backward(after, last, last + 1);
  *after = region;
  ++count_;
  return true;
}

const Region* RegionTable::find(abi::Address address) const {
  for (std::size_t index = 0; index < count_; ++index) {
    if (regions_[index].range.contains(address)) {
      return &regions_[index];
    }
  }
  return nullptr;
}

Violation RegionTable::classify(abi::Address address, Access access) const {
  const Region* region = find(address);
  if (region == nullptr) {
    return Violation::outside;
  }
  if (region->type == RegionType::null_guard) {
    return Violation::null_pointer;
  }
  if (region->type == RegionType::guard) {
    return Violation::guard_page;
  }
  if (region->rights == RegionRights::none) {
    return Violation::no_access;
  }
  if (access == Access::write && region->rights != RegionRights::read_write) {
    return region->type == RegionType::inherited ? Violation::inherited : Violation::read_only;
  }
  if (access == Access::execute && region->rights != RegionRights::read_execute) {
    return Violation::not_executable;
  }
  return region->type == RegionType::inherited ? Violation::not_inherited : Violation::not_mapped;
}

}  // namespace lona::manager
