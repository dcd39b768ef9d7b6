// SPDX-License-Identifier: BSD-2-Clause
// Random CNode operations against a model that keeps the tree explicitly.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "kernel/testing/world.hpp"

namespace lona::kernel {
namespace {

using abi::Error;
using abi::Label;
using abi::ObjectType;
using testing::machine;
using testing::World;

struct Node {
  int parent = -1;  // slot number in the window, -1: outside
  bool original = false;
  bool badge_set = false;
  ObjectType type = ObjectType::kEndpoint;
};

class Model {
 public:
  std::map<int, Node> nodes;

  bool has_children(int at) const {
    for (auto& [slot, node] : nodes) {
      if (node.parent == at) return true;
    }
    return false;
  }
  bool descends(int child, int from) const {
    for (int at = nodes.at(child).parent; at >= 0; at = nodes.at(at).parent) {
      if (at == from) return true;
    }
    return false;
  }
  void copy(int from, int to, bool new_badge) {
    const Node& source = nodes.at(from);
    Node node = source;
    node.parent = source.original ? from : source.parent;
    node.original = new_badge || source.type == ObjectType::kUntyped;
    node.badge_set = source.badge_set || new_badge;
    nodes[to] = node;
  }
  void move(int from, int to) {
    nodes[to] = nodes.at(from);
    nodes.erase(from);
    for (auto& [slot, node] : nodes) {
      if (node.parent == from) node.parent = to;
    }
  }
  void remove(int at) {
    const int parent = nodes.at(at).parent;
    for (auto& [slot, node] : nodes) {
      if (node.parent == at) node.parent = parent;
    }
    nodes.erase(at);
  }
  void revoke(int at) {
    for (;;) {
      int victim = -1;
      for (auto& [slot, node] : nodes) {
        if (descends(slot, at)) victim = slot;
      }
      if (victim < 0) return;
      nodes.erase(victim);
      // Descendants of the victim descend from `at` as well and go in later rounds.
      for (auto& [slot, node] : nodes) {
        if (node.parent == victim) node.parent = at;
      }
    }
  }
};

class Derivation : public ::testing::Test {
 protected:
  static constexpr int kSlots = 40;
  World world;
  Model model;
  Word base = 1024;
  std::mt19937 random{5};

  Word at(int slot) const { return base + static_cast<Word>(slot); }
  int pick(bool full) {
    for (int tries = 0; tries < 200; ++tries) {
      const int slot = static_cast<int>(random() % kSlots);
      if ((model.nodes.count(slot) != 0) == full) return slot;
    }
    return -1;
  }
  void compare() {
    for (int a = 0; a < kSlots; ++a) {
      const bool full = model.nodes.count(a) != 0;
      ASSERT_EQ(!world.slot(at(a)).empty(), full) << "slot " << a;
      if (!full) continue;
      std::vector<bool> derived(kSlots, false);
      const Slot& parent = world.slot(at(a));
      for (Slot* s = parent.node.next(); s != nullptr && is_derived_from(*s, parent);
           s = s->node.next()) {
        const auto index = s - &world.slot(base);
        if (index >= 0 && index < kSlots) derived[static_cast<std::size_t>(index)] = true;
      }
      for (int b = 0; b < kSlots; ++b) {
        if (a == b || model.nodes.count(b) == 0) continue;
        ASSERT_EQ(derived[b], model.descends(b, a)) << b << " from " << a;
      }
    }
    world.check_invariants();
  }

  void make_object() {
    const int to = pick(false);
    if (to < 0) return;
    const ObjectType types[] = {ObjectType::kEndpoint, ObjectType::kNotification,
                                ObjectType::kReply, ObjectType::kTcb, ObjectType::kUntyped};
    const ObjectType type = types[random() % 5];
    int from = -1;
    for (auto& [slot, node] : model.nodes) {
      if (node.type == ObjectType::kUntyped && random() % 3 == 0) from = slot;
    }
    const Word source = from < 0 ? Word{World::kUntypedSlot} : at(from);
    const Error error = world.invoke_until_done(source, Label::kUntypedRetype,
                                                {static_cast<Word>(type), 13, 0, 0, at(to), 1},
                                                {World::kCNodeSlot});
    if (error == Error::kNotEnoughMemory && from >= 0) return;
    ASSERT_EQ(error, Error::kNone);
    model.nodes[to] = Node{from, true, false, type};
  }

  void copy_or_mint() {
    const int from = pick(true);
    const int to = pick(false);
    if (from < 0 || to < 0) return;
    const Node& source = model.nodes.at(from);
    const bool badgeable =
        source.type == ObjectType::kEndpoint || source.type == ObjectType::kNotification;
    if (badgeable && random() % 2) {
      const Error error = world.mint(at(from), at(to), 1 + random() % 3);
      if (source.badge_set) {
        ASSERT_EQ(error, Error::kIllegalOperation);
      } else {
        ASSERT_EQ(error, Error::kNone);
        model.copy(from, to, true);
      }
      return;
    }
    const Error error = world.copy(at(from), at(to));
    if (source.type == ObjectType::kUntyped && model.has_children(from)) {
      ASSERT_EQ(error, Error::kRevokeFirst);
    } else {
      ASSERT_EQ(error, Error::kNone);
      model.copy(from, to, false);
    }
  }

  void move_or_swap() {
    const int from = pick(true);
    const int to = random() % 2 ? pick(false) : pick(true);
    if (from < 0 || to < 0 || from == to) return;
    const bool occupied = model.nodes.count(to) != 0;
    const Error error = world.invoke(World::kCNodeSlot, Label::kCNodeMove,
                                     {at(to), 64, at(from), 64}, {World::kCNodeSlot});
    ASSERT_EQ(error, occupied ? Error::kDeleteFirst : Error::kNone);
    if (!occupied) model.move(from, to);
  }

  void step() {
    switch (random() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
        make_object();
        break;
      case 4:
      case 5:
        move_or_swap();
        break;
      case 6:
      case 7:
      case 8: {
        const int victim = pick(true);
        if (victim < 0) break;
        ASSERT_EQ(world.remove(at(victim)), Error::kNone);
        model.remove(victim);
        break;
      }
      case 9: {
        const int from = pick(true);
        if (from < 0) break;
        ASSERT_EQ(world.revoke(at(from)), Error::kNone);
        model.revoke(from);
        break;
      }
      default:
        copy_or_mint();
    }
  }
};

TEST_F(Derivation, MatchesTheModelUnderRandomOperations) {
  for (int i = 0; i < 3000; ++i) {
    ASSERT_NO_FATAL_FAILURE(step()) << "step " << i;
    ASSERT_NO_FATAL_FAILURE(compare()) << "step " << i;
  }
}

TEST_F(Derivation, MatchesTheModelWithAnInterruptAtEveryPreemptionPoint) {
  random.seed(77);
  machine.interrupt_every = 2;
  for (int i = 0; i < 1500; ++i) {
    ASSERT_NO_FATAL_FAILURE(step()) << "step " << i;
    ASSERT_NO_FATAL_FAILURE(compare()) << "step " << i;
  }
}

TEST_F(Derivation, SwappingNeighboursKeepsTheList) {
  const Word ep = world.make(ObjectType::kEndpoint);
  const Word copy = world.new_slot();
  const Word third = world.new_slot();
  ASSERT_EQ(world.copy(ep, copy), Error::kNone);
  ASSERT_EQ(world.copy(ep, third), Error::kNone);
  Slot& a = world.slot(ep);
  Slot& b = world.slot(third);
  ASSERT_EQ(a.node.next(), &b);
  const Cap cap_a = a.cap;
  const Cap cap_b = b.cap;
  swap_slots(a, cap_b, b, cap_a);
  world.check_invariants();
  EXPECT_EQ(b.node.next(), &a);
  EXPECT_TRUE(is_derived_from(a, b));
  swap_slots(a, cap_a, b, cap_b);
  world.check_invariants();
  EXPECT_EQ(a.node.next(), &b);
}

}  // namespace
}  // namespace lona::kernel
