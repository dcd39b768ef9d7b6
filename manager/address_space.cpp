// SPDX-License-Identifier: BSD-2-Clause
#include "manager/address_space.hpp"

namespace lona::manager {

using abi::Error;
using abi::ObjectType;

bool AsidPools::start(Memory& memory, std::size_t spaces) {
  while (count_ * kPoolSpaces < spaces + 1) {
    auto untyped = memory.make(ObjectType::kUntyped, abi::kPageBits);
    const auto slot = memory.take_slot();
    if (count_ == kMaxPools || !untyped || !slot ||
        abi::asid_control_make_pool(abi::kSlotAsidControl, untyped->cap,
                                    memory.address_of(*slot)) != Error::kNone) {
      return false;
    }
    pools_[count_++] = *slot;
  }
  return true;
}

Error AsidPools::assign(abi::CPtr vspace) const {
  Error error = Error::kNone;
  for (std::size_t at = 0; at < count_; ++at) {
    error = abi::asid_pool_assign(pools_[at], vspace);
    if (error == Error::kNone) {
      break;
    }
  }
  return error;
}

base::Expected<void, MemoryError> AddressSpace::make(Memory& memory, const AsidPools& asids) {
  root_ = TRY(memory.make(ObjectType::kPml4));
  if (asids.assign(root_.cap) != Error::kNone) {
    memory.destroy(root_);
    return base::fail(MemoryError::refused);
  }
  vspace_ = root_.cap;
  return {};
}

Error AddressSpace::map(Memory& memory, abi::CPtr frame, abi::Word address, abi::CapRights rights) {
  constexpr int kLevelsAboveAFrame = 3;
  for (int level = 0; level <= kLevelsAboveAFrame; ++level) {
    const auto [error, missing_bits] = abi::page_map_or_level(frame, vspace_, address, rights);
    if (error != Error::kFailedLookup) {
      return error;
    }
    if (const Error added = add_table(memory, address, missing_bits); added != Error::kNone) {
      return added;
    }
  }
  return Error::kFailedLookup;
}

Error AddressSpace::prepare(Memory& memory, abi::Word address, unsigned page_bits) {
  for (const unsigned missing :
       {abi::kLookupNoPdpt, abi::kLookupNoPageDirectory, abi::kLookupNoPageTable}) {
    if (missing <= page_bits) {
      break;
    }
    const Error error = add_table(memory, address, missing);
    if (error != Error::kNone && error != Error::kDeleteFirst) {
      return error;
    }
  }
  return Error::kNone;
}

Error AddressSpace::add_table(Memory& memory, abi::Word address, abi::Word missing_bits) {
  const ObjectType type = missing_bits == abi::kLookupNoPageTable       ? ObjectType::kPageTable
                          : missing_bits == abi::kLookupNoPageDirectory ? ObjectType::kPageDirectory
                                                                        : ObjectType::kPdpt;
  if (table_count_ == tables_.size()) {
    return Error::kNotEnoughMemory;
  }
  auto table = memory.make(type);
  if (!table) {
    return Error::kNotEnoughMemory;
  }
  const abi::Word start = address & ~((abi::Word{1} << missing_bits) - 1);
  Error error = Error::kFailedLookup;
  switch (type) {
    case ObjectType::kPageTable:
      error = abi::page_table_map(table->cap, vspace_, start);
      break;
    case ObjectType::kPageDirectory:
      error = abi::page_directory_map(table->cap, vspace_, start);
      break;
    default:
      error = abi::pdpt_map(table->cap, vspace_, start);
      break;
  }
  if (error != Error::kNone) {
    memory.destroy(*table);
    return error;
  }
  tables_[table_count_++] = *table;
  return Error::kNone;
}

}  // namespace lona::manager
