// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/wire.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "vm/data/foreign.hpp"
#include "vm/data/sequence.hpp"
#include "vm/reader/reader.hpp"
#include "vm/sched/test_vm.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {
namespace {

SymbolEntry* keep(void*, SymbolEntry* symbol) {
  return symbol;
}

class Wire : public testing::Test {
 protected:
  static constexpr std::size_t kMost = 1 << 20;

  Term read(std::string_view text) {
    Reader reader(arena, text, {.qualify = keep});
    return reader.next().form;
  }
  std::vector<std::uint8_t> bytes_of(Term value, std::uint32_t realm = 1) {
    ByteBuffer out;
    EXPECT_EQ(wire::encode(value, realm, out, kMost), wire::Encoded::kOk);
    return {out.data(), out.data() + out.size()};
  }
  Term decode(const std::vector<std::uint8_t>& bytes, std::uint32_t realm = 2) {
    wire::Limits limits{.own_realm = realm, .names_left = 1000};
    return wire::decode(arena, bytes, limits);
  }

  Arena arena;
};

TEST_F(Wire, ValuesComeBackAsTheyWere) {
  for (const char* text : {"nil",
                           "true",
                           "false",
                           "()",
                           "0",
                           "-1",
                           "1152921504606846975",
                           "1152921504606846976",
                           "-99999999999999999999999",
                           "1/3",
                           "-5/7",
                           "1.5",
                           "\\a",
                           "\"\"",
                           "\"Grüße\"",
                           ":key",
                           "name.space/symbol",
                           "(1 2 3)",
                           "[1 [2 []] {}]",
                           "{1 2 3}",
                           "%{:a 1 :b [2]}",
                           "#{1 2 3}",
                           "(1 . 2)",
                           "%{1 1 2 2 3 3 4 4 5 5 6 6 7 7 8 8 9 9 10 10}",
                           "#{1 2 3 4 5 6 7 8 9 10 11 12 13}"}) {
    const Term value = read(text);
    const Term back = decode(bytes_of(value));
    ASSERT_NE(back, Term::absent()) << text;
    EXPECT_TRUE(equal(value, back)) << text;
    EXPECT_EQ(printed(value), printed(back));
  }
}

TEST_F(Wire, LongVectorsAndDeepNestingTakeNoNativeStack) {
  Term deep = Term::nil();
  for (int at = 0; at < 100'000; ++at) deep = make_tuple(arena, {&deep, 1});
  const Term back = decode(bytes_of(deep));
  ASSERT_NE(back, Term::absent());
  EXPECT_TRUE(equal(deep, back));
}

TEST_F(Wire, PidsAndReferencesKnowTheirRealm) {
  const Term pid = Term::pid(7, 3);
  const Term away = decode(bytes_of(pid, 1), 2);
  ASSERT_TRUE(is_foreign(away, ForeignType::kPid));
  EXPECT_EQ(foreign_realm(away), 1U);
  EXPECT_EQ(decode(bytes_of(away, 2), 1), pid);  // home again
  EXPECT_TRUE(equal(away, decode(bytes_of(away, 2), 3)));
  Word* ref = arena.alloc_box(Kind::kRef, 1);
  ref[1] = 99;
  const Term abroad = decode(bytes_of(Term::boxed(ref), 1), 2);
  EXPECT_TRUE(is_foreign(abroad, ForeignType::kRef));
  EXPECT_TRUE(equal(Term::boxed(ref), decode(bytes_of(abroad, 2), 1)));
}

TEST_F(Wire, WhatOnlyItsRealmCanUseIsRefused) {
  ByteBuffer out;
  EXPECT_EQ(wire::encode(Term::native(0), 1, out, kMost), wire::Encoded::kNotSendable);
  Term refused = Term::absent();
  const wire::Offers offers{.context = nullptr, .refused = &refused};
  const Term parts[] = {Term::integer(1), Term::native(3), Term::native(4)};
  EXPECT_EQ(wire::encode(make_tuple(arena, parts), 1, out, kMost, &offers),
            wire::Encoded::kNotSendable);
  EXPECT_EQ(refused, Term::native(3));
  const Term endpoint = make_capability(
      arena,
      {.kind = {.type = MachineType::kEndpoint, .rights = 2}, .realm = 1, .slot = 5, .use = 3});
  EXPECT_EQ(wire::encode(make_pair_tuple(arena, Term::nil(), endpoint), 1, out, kMost, &offers),
            wire::Encoded::kNotSendable);
  EXPECT_EQ(refused, endpoint);
}

class WireCapability : public Wire {
 protected:
  static constexpr std::uint32_t kReceiver = 7;
  // Offers all but number 0 under their slots.
  const wire::Offers offers{nullptr, [](void*, const Capability& cap, std::uint64_t& number) {
                              number = cap.slot;
                              return cap.slot == 0 ? wire::Encoded::kTooMany : wire::Encoded::kOk;
                            }};
  Term capability(MachineType type, std::uint32_t slot) {
    return make_capability(
        arena, {.kind = {.type = type, .rights = 2}, .realm = 1, .slot = slot, .use = 3});
  }
  wire::Encoded encode(Term value, ByteBuffer& out) {
    return wire::encode(value, 1, out, kMost, &offers);
  }
  Term decode_from(std::uint32_t peer, std::span<const std::uint8_t> bytes) {
    wire::Limits limits{.own_realm = kReceiver, .names_left = 0, .peer = peer};
    return wire::decode(arena, bytes, limits);
  }
};

TEST_F(WireCapability, IsAnOfferOfWhoeverSendsIt) {
  ByteBuffer out;
  ASSERT_EQ(encode(capability(MachineType::kEndpoint, 9), out), wire::Encoded::kOk);
  const Term got = decode_from(5, {out.data(), out.size()});
  ASSERT_TRUE(is_machine_value(got, MachineType::kEndpoint));
  const Capability cap = capability_of(got);
  EXPECT_EQ(cap.realm, 5U) << "what the bytes say is nobody's realm";
  EXPECT_EQ(cap.slot, 9U);
  EXPECT_EQ(cap.use, 0U) << "the sender's count means nothing here";
  EXPECT_EQ(cap.kind.rights, 2);
}

TEST_F(WireCapability, IsRefusedWhenItCannotBeOffered) {
  ByteBuffer out;
  EXPECT_EQ(encode(capability(MachineType::kEndpoint, 0), out), wire::Encoded::kTooMany);
  EXPECT_EQ(wire::encode(capability(MachineType::kEndpoint, 1), 1, out, kMost),
            wire::Encoded::kNotSendable);
}

TEST_F(WireCapability, OfAnotherTypeOrMoreRightsThanThereAreIsNoValue) {
  ByteBuffer out;
  ASSERT_EQ(encode(capability(MachineType::kNotification, 9), out), wire::Encoded::kOk);
  const std::vector<std::uint8_t> bytes(out.data(), out.data() + out.size());
  for (unsigned type = 0; type < 256; ++type) {
    std::vector<std::uint8_t> changed = bytes;
    changed[1] = static_cast<std::uint8_t>(type);
    const bool good = type == static_cast<unsigned>(MachineType::kNotification) ||
                      type == static_cast<unsigned>(MachineType::kEndpoint);
    EXPECT_EQ(decode_from(5, changed) != Term::absent(), good) << type;
  }
  std::vector<std::uint8_t> changed = bytes;
  changed[2] = 16;
  EXPECT_EQ(decode_from(5, changed), Term::absent());
}

TEST_F(Wire, WhatIsTooLongIsRefused) {
  ByteBuffer out;
  EXPECT_EQ(wire::encode(read("[1 2 3 4]"), 1, out, 20), wire::Encoded::kTooLong);
}

TEST_F(Wire, NamesHaveAQuota) {
  const std::string name = ":no-such-name-before-" + std::to_string(std::random_device{}());
  std::vector<std::uint8_t> bytes{13};  // a keyword
  bytes.push_back(static_cast<std::uint8_t>(name.size()));
  bytes.push_back(0);
  bytes.insert(bytes.end(), name.begin(), name.end());
  wire::Limits limits{.own_realm = 2, .names_left = name.size() - 1};
  EXPECT_EQ(wire::decode(arena, bytes, limits), Term::absent());
  limits.names_left = name.size();
  EXPECT_NE(wire::decode(arena, bytes, limits), Term::absent());
  EXPECT_EQ(limits.names_left, 0U);
  EXPECT_NE(wire::decode(arena, bytes, limits), Term::absent()) << "known names cost nothing";
}

TEST_F(Wire, CutOffBytesAreNoValue) {
  const auto bytes = bytes_of(read("[1 \"text\" %{:a #{1.5 -99999999999999999999}} (1 2) 1/3]"));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(decode({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)}),
              Term::absent());
  }
  auto longer = bytes;
  longer.push_back(0);
  EXPECT_EQ(decode(longer), Term::absent());
}

// What decodes at all is a value like any other: it can be printed, compared and sent on.
TEST_F(Wire, RandomBytesDoNoHarm) {
  const auto good = bytes_of(read("[1 \"text\" %{:a #{1.5 -99999999999999999999} :b {1 2}} 1/3]"));
  std::mt19937 random(11);
  unsigned accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const Term value = decode(bytes);
    if (value == Term::absent()) continue;
    ++accepted;
    // Values that hold a NaN equal nothing, but print the same.
    EXPECT_EQ(printed(value), printed(decode(bytes_of(value, 2), 2)));
    if (round % 100 == 0) arena.clear();
  }
  EXPECT_GT(accepted, 100U);
}

}  // namespace
}  // namespace lona::vm
