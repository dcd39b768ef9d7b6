// SPDX-License-Identifier: BSD-2-Clause
#include "manager/request.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lona::manager {
namespace {

using abi::Request;
using abi::Status;

auto decode(Request request, std::vector<std::uint64_t> words) {
  return decode_request(static_cast<std::uint64_t>(request), words);
}

constexpr std::uint64_t kPool = abi::kPoolRange.start;

TEST(Request, DecodesWhatIsRight) {
  const auto more = decode(Request::kRequestMemory, {12345});
  ASSERT_TRUE(more.has_value());
  EXPECT_EQ(std::get<RequestMemory>(*more).bytes, 12345U);
  const auto map = decode(Request::kMapPages, {kPool, 3, 12});
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(std::get<MapPages>(*map).pages.bytes(), 3U * 4096);
  const auto unmap = decode(Request::kUnmapPages, {kPool + abi::kLargePage, 2, 21});
  EXPECT_EQ(std::get<UnmapPages>(*unmap).pages.bytes(), 2 * abi::kLargePage);
  EXPECT_EQ(std::get<SetDeadline>(*decode(Request::kSetDeadline, {77})).tick, 77U);
  EXPECT_EQ(std::get<LogText>(*decode(Request::kLog, {9, 0, 0})).length, 9U);
  EXPECT_TRUE(decode(Request::kFigures, {}).has_value());
  EXPECT_EQ(std::get<ExitRealm>(*decode(Request::kExit, {1})).status, 1U);
  EXPECT_EQ(std::get<ExitRealm>(*decode(Request::kExit, {1})).length, 0U);
  EXPECT_EQ(std::get<ExitRealm>(*decode(Request::kExit, {1, 9, 0, 0})).length, 9U);
}

TEST(Request, DecodesWhatIsAskedOfChildren) {
  const auto create = decode(Request::kCreateRealm, {8 << 20, 8 << 20, 0, 300'000, 0, 3, 0x636261});
  ASSERT_TRUE(create.has_value());
  EXPECT_EQ(std::get<CreateRealm>(*create).name(), "abc");
  EXPECT_EQ(std::get<CreateRealm>(*create).share, 300'000U);
  EXPECT_EQ(std::get<TerminateRealm>(*decode(Request::kTerminateRealm, {1025})).realm, 1025U);
  EXPECT_EQ(std::get<ChildRealms>(*decode(Request::kChildRealms, {7, 64})).skip, 64U);
  EXPECT_TRUE(decode(Request::kNextEnded, {}).has_value());
}

TEST(Request, DecodesWhatIsAskedOfChannels) {
  const auto connect = decode(Request::kConnectRealms, {3, 4});
  ASSERT_TRUE(connect.has_value());
  EXPECT_EQ(std::get<ConnectRealms>(*connect).first, 3U);
  EXPECT_EQ(std::get<ConnectRealms>(*connect).second, 4U);
  EXPECT_EQ(std::get<DisconnectRealms>(*decode(Request::kDisconnectRealms, {3, 4})).other, 4U);
  EXPECT_EQ(decode(Request::kConnectRealms, {3}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kConnectRealms, {3, ~0ULL}).error(), Status::kNoSuchRealm);
  EXPECT_EQ(decode(Request::kDisconnectRealms, {}).error(), Status::kBadMessage);
}

TEST(Request, DecodesWhatIsAskedOfSentCapabilities) {
  const auto offer = decode(Request::kOfferCapability, {5, 7, 3, 99});
  ASSERT_TRUE(offer.has_value());
  EXPECT_EQ(std::get<OfferCapability>(*offer).slot, 5U);
  EXPECT_EQ(std::get<OfferCapability>(*offer).realm, 7U);
  EXPECT_EQ(std::get<OfferCapability>(*offer).rights, 3U);
  EXPECT_EQ(std::get<OfferCapability>(*offer).badge, 99U);
  EXPECT_EQ(decode(Request::kOfferCapability, {5, 7, 3}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kOfferCapability, {5, 7, 16, 0}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kOfferCapability, {~0ULL, 7, 3, 0}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kOfferCapability, {5, ~0ULL, 3, 0}).error(), Status::kNoSuchRealm);
  const auto take = decode(Request::kTakeCapability, {7, 1ULL << 40, 2, 5});
  ASSERT_TRUE(take.has_value());
  EXPECT_EQ(std::get<TakeCapability>(*take).realm, 7U);
  EXPECT_EQ(std::get<TakeCapability>(*take).number, 1ULL << 40);
  EXPECT_EQ(std::get<TakeCapability>(*take).rights, 2U);
  EXPECT_EQ(std::get<TakeCapability>(*take).slot, 5U);
  EXPECT_EQ(decode(Request::kTakeCapability, {7, 1, 2}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kTakeCapability, {7, 1, 2, 5, 0}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kTakeCapability, {7, 1, ~0ULL, 5}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kTakeCapability, {7, 1, 2, 1 << 20}).error(), Status::kBadArgument);
  EXPECT_TRUE(decode(Request::kLostCapabilities, {}).has_value());
  EXPECT_EQ(decode(Request::kLostCapabilities, {1}).error(), Status::kBadMessage);
}

TEST(Request, DecodesWhatIsAskedOfSharedRegions) {
  const auto make = decode(Request::kMakeRegion, {5000, 3, 0x636261});
  ASSERT_TRUE(make.has_value());
  EXPECT_EQ(std::get<MakeRegion>(*make).bytes, 5000U);
  EXPECT_EQ(std::get<MakeRegion>(*make).name.view(), "abc");
  const auto share = decode(Request::kShareRegion, {9, 7, 1});
  ASSERT_TRUE(share.has_value());
  EXPECT_EQ(std::get<ShareRegion>(*share).realm, 7U);
  EXPECT_TRUE(std::get<ShareRegion>(*share).writable);
  EXPECT_EQ(std::get<UnshareRegion>(*decode(Request::kUnshareRegion, {9, 7})).region, 9U);
  EXPECT_EQ(std::get<ReleaseRegion>(*decode(Request::kReleaseRegion, {9})).region, 9U);
  EXPECT_EQ(std::get<FindRegion>(*decode(Request::kFindRegion, {9})).region, 9U);
  const auto find = decode(Request::kFindRegion, {abi::kNoRegion, 2, 0x6261});
  ASSERT_TRUE(find.has_value());
  EXPECT_EQ(std::get<FindRegion>(*find).name.view(), "ab");
}

TEST(Request, DecodesWhatIsAskedOfSharedBinaries) {
  const auto make = decode(Request::kMakeBinary, {3, abi::kLeastBinary});
  ASSERT_TRUE(make.has_value());
  EXPECT_EQ(std::get<MakeBinary>(*make).realm, 3U);
  EXPECT_EQ(std::get<MakeBinary>(*make).bytes, abi::kLeastBinary);
  EXPECT_EQ(std::get<GiveBinary>(*decode(Request::kGiveBinary, {9, 3})).realm, 3U);
  EXPECT_EQ(std::get<TakeBinary>(*decode(Request::kTakeBinary, {9, 3})).from, 3U);
  EXPECT_EQ(std::get<TakeBackBinary>(*decode(Request::kTakeBackBinary, {9, 3})).binary, 9U);
  EXPECT_EQ(std::get<DropBinary>(*decode(Request::kDropBinary, {9, abi::kNoRealm})).from,
            abi::kNoRealm);
}

TEST(Request, RefusesSharedBinariesThatCannotBe) {
  EXPECT_EQ(decode(Request::kMakeBinary, {3}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kMakeBinary, {3, abi::kLeastBinary - 1}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMakeBinary, {3, abi::kBinaryMax + 1}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMakeBinary, {abi::kNoRealm, abi::kLeastBinary}).error(),
            Status::kNoSuchRealm);
  for (const auto request :
       {Request::kGiveBinary, Request::kTakeBinary, Request::kTakeBackBinary}) {
    EXPECT_EQ(decode(request, {}).error(), Status::kBadMessage);
    EXPECT_EQ(decode(request, {9, 3, 0}).error(), Status::kBadMessage);
    EXPECT_EQ(decode(request, {abi::kNoBinary, 3}).error(), Status::kNoSuchBinary);
    EXPECT_EQ(decode(request, {9, abi::kNoRealm}).error(), Status::kNoSuchRealm);
  }
  EXPECT_EQ(decode(Request::kDropBinary, {9}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kDropBinary, {abi::kNoBinary, 3}).error(), Status::kNoSuchBinary);
  EXPECT_EQ(decode(Request::kDropBinary, {9, ~0ULL}).error(), Status::kNoSuchRealm);
}

TEST(Request, RefusesSharedRegionsThatCannotBe) {
  EXPECT_EQ(decode(Request::kMakeRegion, {}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kMakeRegion, {0, 1, 'a'}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMakeRegion, {abi::kRegionMax + 1, 1, 'a'}).error(),
            Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMakeRegion, {1}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kMakeRegion, {1, 0}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMakeRegion, {1, ~0ULL}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMakeRegion, {1, 9, 'a'}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kShareRegion, {1, 2, 2}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kShareRegion, {1, ~0ULL, 0}).error(), Status::kNoSuchRealm);
  EXPECT_EQ(decode(Request::kShareRegion, {1, 2}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kUnshareRegion, {1}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kFindRegion, {}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kFindRegion, {7, 1, 'a'}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kReleaseRegion, {}).error(), Status::kBadMessage);
}

TEST(Request, RefusesRealmsThatCannotBe) {
  const auto create = [](std::uint64_t memory, std::uint64_t share, std::uint64_t length,
                         std::uint64_t name) {
    return decode(Request::kCreateRealm, {memory, memory, 0, share, 0, length, name}).error();
  };
  EXPECT_EQ(create(1, abi::kNoShare, 1, 'a'), Status::kBadArgument);
  EXPECT_EQ(create(~0ULL, abi::kNoShare, 1, 'a'), Status::kBadArgument);
  EXPECT_EQ(create(8 << 20, 0, 1, 'a'), Status::kBadArgument);
  EXPECT_EQ(create(8 << 20, 1'000'001, 1, 'a'), Status::kBadArgument);
  EXPECT_EQ(create(8 << 20, abi::kNoShare, 0, 'a'), Status::kBadArgument);
  EXPECT_EQ(create(8 << 20, abi::kNoShare, 32, 'a'), Status::kBadArgument);
  EXPECT_EQ(create(8 << 20, abi::kNoShare, 9, 'a'), Status::kBadMessage);
  EXPECT_EQ(create(8 << 20, abi::kNoShare, 2, 'a' | 0x1b00), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kTerminateRealm, {~0ULL}).error(), Status::kNoSuchRealm);
  EXPECT_EQ(decode(Request::kRealmInfo, {abi::kNoRealm}).error(), Status::kNoSuchRealm);
  EXPECT_EQ(decode(Request::kRunRealm, {1, 2}).error(), Status::kBadMessage);
}

TEST(Request, RefusesMessagesOfTheWrongLength) {
  for (const auto request : {Request::kMapPages, Request::kUnmapPages, Request::kSetDeadline,
                             Request::kLog, Request::kExit}) {
    EXPECT_EQ(decode(request, {}).error(), Status::kBadMessage);
  }
  EXPECT_EQ(decode(Request::kMapPages, {kPool, 1, 12, 0}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kExit, {1, 9, 0}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kExit, {1, 9, 0, 0, 0}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kExit, {1, abi::kEndTextMax + 1}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kExit, {1, ~std::uint64_t{0}}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kFigures, {0}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kLog, {9, 0}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kLog, {8, 0, 0}).error(), Status::kBadMessage);
}

TEST(Request, RefusesValuesOutsideTheirRange) {
  EXPECT_EQ(decode(Request::kMapPages, {kPool, 0, 12}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMapPages, {kPool, 513, 12}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMapPages, {kPool, 33, 21}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMapPages, {kPool, ~0ULL, 12}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMapPages, {kPool, 1, 30}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMapPages, {kPool + 4096, 1, 21}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kLog, {abi::kLogMax + 1}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kLog, {~0ULL}).error(), Status::kBadArgument);
}

TEST(Request, RefusesAddressesOutsideThePool) {
  EXPECT_EQ(decode(Request::kMapPages, {0, 1, 12}).error(), Status::kBadAddress);
  EXPECT_EQ(decode(Request::kMapPages, {kPool - 4096, 2, 12}).error(), Status::kBadAddress);
  EXPECT_EQ(decode(Request::kMapPages, {abi::kPoolRange.end() - 4096, 2, 12}).error(),
            Status::kBadAddress);
  EXPECT_EQ(decode(Request::kMapPages, {~0xfffULL, 2, 12}).error(), Status::kBadAddress);
  EXPECT_TRUE(decode(Request::kMapPages, {abi::kPoolRange.end() - 4096, 1, 12}).has_value());
  // Of a level too, but not across its end.
  const abi::AddressRange level = abi::level_memory(abi::kLevelMax - 1);
  EXPECT_TRUE(decode(Request::kMapPages, {level.start, 1, 21}).has_value());
  EXPECT_TRUE(decode(Request::kMapPages, {level.end() - 4096, 1, 12}).has_value());
  for (const auto address : {abi::kLevels - 4096, level.end() - 4096, level.end(),
                             level.start + abi::kLevelSize - 4096, level.start + abi::kLevelSize}) {
    EXPECT_EQ(decode(Request::kMapPages, {address, 2, 12}).error(), Status::kBadAddress);
  }
}

TEST(Request, ACreatedRealmHasAPolicyThatHolds) {
  const auto create = [](std::uint64_t memory, std::uint64_t most, std::uint64_t reserve,
                         std::uint64_t share, std::uint64_t faults = 0) {
    return decode(Request::kCreateRealm, {memory, most, reserve, share, faults, 1, 'r'});
  };
  constexpr std::uint64_t kLeast = abi::kLeastRealmMemory;
  const auto good = create(kLeast, 2 * kLeast, 100'000, 300'000);
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(std::get<CreateRealm>(*good).faults, abi::kFaultsPerSecond);
  EXPECT_EQ(std::get<CreateRealm>(*good).memory_max, 2 * kLeast);
  EXPECT_EQ(std::get<CreateRealm>(*create(kLeast, kLeast, 0, abi::kNoShare, 7)).faults, 7U);
  for (const auto& bad :
       {create(kLeast - 1, kLeast, 0, abi::kNoShare), create(2 * kLeast, kLeast, 0, abi::kNoShare),
        create(kLeast, abi::kMostRealmMemory + 1, 0, abi::kNoShare),
        create(kLeast, kLeast, 300'000, 200'000), create(kLeast, kLeast, 1, abi::kNoShare),
        create(kLeast, kLeast, abi::kWholeCpu + 1, abi::kNoShare),
        create(kLeast, kLeast, 0, abi::kLeastShare - 1),
        create(kLeast, kLeast, 0, abi::kNoShare, abi::kMostFaultsPerSecond + 1)}) {
    ASSERT_FALSE(bad.has_value());
    EXPECT_EQ(bad.error(), Status::kBadArgument);
  }
  EXPECT_EQ(decode(Request::kCreateRealm, {kLeast, kLeast, 0, abi::kNoShare, 0}).error(),
            Status::kBadMessage);
}

TEST(Request, DecodesObjects) {
  using abi::ObjectType;
  const auto object = [](ObjectType type, std::uint64_t size_bits, std::uint64_t slot) {
    return decode(Request::kMakeObject, {static_cast<std::uint64_t>(type), size_bits, slot});
  };
  const auto cnode = object(ObjectType::kCNode, 5, 7);
  ASSERT_TRUE(cnode.has_value());
  EXPECT_EQ(std::get<MakeObject>(*cnode).type, ObjectType::kCNode);
  EXPECT_EQ(std::get<MakeObject>(*cnode).size_bits, 5U);
  EXPECT_EQ(std::get<MakeObject>(*cnode).slot, 7U);
  EXPECT_TRUE(object(ObjectType::kEndpoint, 0, 0).has_value());
  EXPECT_EQ(decode(Request::kMakeObject, {0, 4}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kFreeObject, {}).error(), Status::kBadMessage);
  EXPECT_EQ(decode(Request::kGiveSchedControl, {0}).error(), Status::kBadMessage);
}

TEST(Request, RefusesObjectsThatMakeNoSense) {
  using abi::ObjectType;
  const auto error = [](std::uint64_t type, std::uint64_t size_bits, std::uint64_t slot) {
    return decode(Request::kMakeObject, {type, size_bits, slot}).error();
  };
  const auto number = [](ObjectType type) { return static_cast<std::uint64_t>(type); };
  EXPECT_EQ(error(99, 0, 0), Status::kBadArgument);
  EXPECT_EQ(error(~0ULL, 0, 0), Status::kBadArgument);
  EXPECT_EQ(error(number(ObjectType::kHugePage), 0, 0), Status::kBadArgument);
  EXPECT_EQ(error(number(ObjectType::kIoPageTable), 0, 0), Status::kBadArgument);
  EXPECT_EQ(error(number(ObjectType::kEndpoint), 4, 0), Status::kBadArgument);
  EXPECT_EQ(error(number(ObjectType::kUntyped), 3, 0), Status::kBadArgument);
  EXPECT_EQ(error(number(ObjectType::kUntyped), 64, 0), Status::kBadArgument);
  EXPECT_EQ(error(number(ObjectType::kCNode), 0, 0), Status::kBadArgument);
  EXPECT_EQ(error(number(ObjectType::kSchedContext), 6, 0), Status::kBadArgument);
  EXPECT_EQ(error(number(ObjectType::kTcb), 0, 1 << 12), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kMakeIrqHandler, {108, 0}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kGiveSchedControl, {8, 0}).error(), Status::kBadArgument);
}

TEST(Request, DecodesPorts) {
  const auto good = decode(Request::kGivePorts, {0x84, 0x87, 3});
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(std::get<GivePorts>(*good).last, 0x87U);
  EXPECT_EQ(std::get<GivePorts>(*good).slot, 3U);
  EXPECT_TRUE(decode(Request::kGivePorts, {0, 0xffff, 0}).has_value());
  EXPECT_EQ(decode(Request::kGivePorts, {2, 1, 0}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kGivePorts, {2, 0x10000, 0}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kGivePorts, {0, 1, 1 << 12}).error(), Status::kBadArgument);
  EXPECT_EQ(decode(Request::kGivePorts, {0, 1}).error(), Status::kBadMessage);
}

TEST(Request, DecodesHelpers) {
  for (const auto label : {Request::kMakeHelper, Request::kRestartHelper}) {
    EXPECT_TRUE(decode(label, {abi::kHelperMax - 1}).has_value());
    EXPECT_EQ(decode(label, {abi::kHelperMax}).error(), Status::kBadArgument);
    EXPECT_EQ(decode(label, {}).error(), Status::kBadMessage);
    EXPECT_EQ(decode(label, {0, 0}).error(), Status::kBadMessage);
  }
}

TEST(Request, FaultsAreNoRequests) {
  for (std::uint64_t label = 0; label < 0x100; ++label) {
    EXPECT_EQ(decode_request(label, {}).error(), Status::kUnknownRequest);
  }
}

TEST(Request, SurvivesAnyMessage) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 100000; ++round) {
    std::vector<std::uint64_t> words(random() % 8);
    for (auto& word : words) {
      word = random() >> (random() % 64);
    }
    const auto request = decode_request(0x100 + (random() % 3) * 0x10 + random() % 8, words);
    if (request && std::holds_alternative<MapPages>(*request)) {
      const auto& pages = std::get<MapPages>(*request).pages;
      EXPECT_TRUE(abi::kPoolRange.contains(pages.address, pages.bytes()) ||
                  abi::levels_above(abi::kLevelMax).contains(pages.address, pages.bytes()));
      EXPECT_LE(pages.bytes(), abi::kMapBytesMax);
    }
    if (request && std::holds_alternative<MakeObject>(*request)) {
      const auto& object = std::get<MakeObject>(*request);
      EXPECT_LE(object.size_bits, 30U);
      EXPECT_LT(object.slot, 1U << abi::object_bits(abi::kInitCSpaceBits));
    }
  }
}

TEST(Request, SanitizeKeepsTheTerminalSafe) {
  char text[] = "a\x1b[2J\n\x80z";
  sanitize({text, sizeof text - 1});
  EXPECT_STREQ(text, "a?[2J??z");
}

}  // namespace
}  // namespace lona::manager
