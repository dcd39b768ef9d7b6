// SPDX-License-Identifier: BSD-2-Clause
// What one batch of random calls happens in: everything comes out of one piece of untyped memory
// and goes back with one revocation.
#pragma once

#include "systems/kernel-fuzz/machine.hpp"
#include "systems/kernel-fuzz/puppet.hpp"

namespace lona::fuzz {

class World {
 public:
  static constexpr unsigned kPuppets = 5;

  World(CPtr arena, CPtr irq_handler, Word seed);
  World(const World&) = delete;
  ~World();

  // Calls all puppets have made so far.
  Word calls() const;
  // Sets going again who has not made a call since the last time.
  void revive();

 private:
  CPtr make(ObjectType type, Word size_bits = 0);
  void build_space();
  void map_page(Word address, abi::CapRights rights);
  void build_cspace(CPtr irq_handler);
  void build_puppet(unsigned index);
  void build_nurse();
  void give(Word index, CPtr cap, abi::CapRights rights = abi::kAllRights);
  void start(unsigned index);

  CPtr arena_;
  CPtr mark_;
  kernel::testing::Random random_;
  CPtr cnode_ = 0, vspace_ = 0, nurse_ = 0;
  CPtr tcbs_[kPuppets] = {}, contexts_[kPuppets] = {}, buffers_[kPuppets] = {};
  Word last_calls_[kPuppets] = {};
};

}  // namespace lona::fuzz
