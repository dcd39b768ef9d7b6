// SPDX-License-Identifier: BSD-2-Clause
// Memory that this realm shares with those below it, or that was shared with it, as its VM sees it.
//
// A value names a region by its number only; whether this realm may use it is the memory manager's
// to say, which is asked once and then remembered here. A region that its owner takes away is found
// out at the next access: the bytes are copied in a way that reports it instead of a fault.
#pragma once

#include "vm/heap/heap.hpp"
#include "vm/platform/platform.hpp"
#include "vm/sched/lock.hpp"

namespace lona::vm {

class SharedRegions {
 public:
  using Error = platform::RealmError;
  struct Region {
    std::uint64_t number = platform::kNoRegion;
    std::uint32_t place = 0;
    std::uint64_t bytes = 0;
    bool writable = false;
    const SymbolEntry* name = nullptr;
  };
  struct Found {
    Error error;
    Region region;
  };

  Found make(std::uint64_t bytes, const SymbolEntry* name);
  // One that was shared with this realm under the name.
  Found find(const SymbolEntry* name);
  // By its number.
  Found look_up(std::uint64_t number);
  Error share(std::uint64_t number, std::uint32_t realm, bool writable);
  Error unshare(std::uint64_t number, std::uint32_t realm);
  Error release(std::uint64_t number);

  // `offset` and size have been compared with the region's. Nothing is copied in part that matters:
  // on an error the bytes are thrown away.
  Error read(const Region& region, std::uint64_t offset, std::span<std::uint8_t> bytes);
  Error write(const Region& region, std::uint64_t offset, std::span<const std::uint8_t> bytes);

 private:
  Found keep(const platform::SharedRegion& answer);
  void forget(std::uint64_t places);
  void forget_number(std::uint64_t number);

  SpinLock lock_;
  Region known_[platform::kRegionPlaces];
};

}  // namespace lona::vm
