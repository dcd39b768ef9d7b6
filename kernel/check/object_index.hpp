// SPDX-License-Identifier: BSD-2-Clause
// All kernel objects that live, sorted by address, so that a pointer can be held against them. It
// is filled from the derivation tree: an object lives as long as a capability names it.
#pragma once

#include "kernel/object/slot.hpp"

namespace lona::kernel {

class ObjectIndex {
 public:
  struct Entry {
    PhysAddr begin;
    Word bytes;
    Slot* first;  // the first of its capabilities; the others follow directly
    CapType type;

    PhysAddr end() const { return begin + bytes; }
  };
  static constexpr unsigned kCapacity = 16384;

  void clear() { count_ = 0; }
  // The type of a zombie is that of what it was. False: full.
  bool add(Slot& slot);
  void sort();
  // Two neighbours that share memory, after sort(); null if all are apart.
  const Entry* overlap() const;
  // The object of this type that begins at the address.
  const Entry* find(PhysAddr address, CapType type) const;
  const Entry* find(const void* object, CapType type) const;

  const Entry* begin() const { return entries_; }
  const Entry* end() const { return entries_ + count_; }

 private:
  Entry entries_[kCapacity] = {};
  unsigned count_ = 0;
};

}  // namespace lona::kernel
