// SPDX-License-Identifier: BSD-2-Clause
#include "manager/request.hpp"

#include <algorithm>
#include <cstring>

#include "base/checked.hpp"

namespace lona::manager {

namespace {

using abi::Status;

// Whose level it is, is not known here.
bool is_level_memory(abi::Address address, std::uint64_t bytes) {
  constexpr abi::AddressRange kAll = abi::levels_above(abi::kLevelMax);
  return kAll.contains(address) &&
         abi::level_memory((address - kAll.start) / abi::kLevelSize).contains(address, bytes);
}

base::Expected<PageRange, Status> decode_pages(std::span<const std::uint64_t> words) {
  if (words.size() != 3) {
    return base::fail(Status::kBadMessage);
  }
  const std::uint64_t address = words[0];
  const std::uint64_t count = words[1];
  const std::uint64_t page_bits = words[2];
  const bool known_size = page_bits == 12 || page_bits == 21;
  if (!known_size || count == 0 || count > abi::kMapPagesMax ||
      count << page_bits > abi::kMapBytesMax) {
    return base::fail(Status::kBadArgument);
  }
  if (!base::is_aligned<std::uint64_t>(address, std::uint64_t{1} << page_bits)) {
    return base::fail(Status::kBadArgument);
  }
  if (!abi::kPoolRange.contains(address, count << page_bits) &&
      !is_level_memory(address, count << page_bits)) {
    return base::fail(Status::kBadAddress);
  }
  return PageRange{address, count, static_cast<unsigned>(page_bits)};
}

base::Expected<DecodedRequest, Status> decode_log(std::span<const std::uint64_t> words) {
  if (words.empty()) {
    return base::fail(Status::kBadMessage);
  }
  if (words[0] > abi::kLogMax) {
    return base::fail(Status::kBadArgument);
  }
  if (words.size() != 1 + (words[0] + 7) / 8) {
    return base::fail(Status::kBadMessage);
  }
  return LogText{words[0]};
}

base::Expected<DecodedRequest, Status> decode_exit(std::span<const std::uint64_t> words) {
  if (words.empty()) {
    return base::fail(Status::kBadMessage);
  }
  const std::uint64_t length = words.size() == 1 ? 0 : words[1];
  if (length > abi::kEndTextMax) {
    return base::fail(Status::kBadArgument);
  }
  if (words.size() > 1 && words.size() != 2 + (length + 7) / 8) {
    return base::fail(Status::kBadMessage);
  }
  return ExitRealm{words[0], length};
}

bool good_time(std::uint64_t reserve, std::uint64_t share) {
  const bool share_known =
      share == abi::kNoShare || (share >= abi::kLeastShare && share <= abi::kWholeCpu);
  return share_known && reserve <= share &&
         (reserve == 0 || (reserve >= abi::kLeastReserve && reserve <= abi::kWholeCpu));
}

base::Expected<DecodedRequest, Status> decode_create(std::span<const std::uint64_t> words) {
  constexpr std::size_t kFixed = 6;
  if (words.size() < kFixed) {
    return base::fail(Status::kBadMessage);
  }
  const std::uint64_t memory = words[0], memory_max = words[1], faults = words[4];
  const std::uint64_t length = words[5];
  if (length == 0 || length > abi::kRealmNameMax || memory < abi::kLeastRealmMemory ||
      memory > memory_max || memory_max > abi::kMostRealmMemory ||
      faults > abi::kMostFaultsPerSecond || !good_time(words[2], words[3])) {
    return base::fail(Status::kBadArgument);
  }
  if (words.size() != kFixed + (length + 7) / 8) {
    return base::fail(Status::kBadMessage);
  }
  CreateRealm request{.memory = memory,
                      .memory_max = memory_max,
                      .reserve = words[2],
                      .share = words[3],
                      .faults = faults == 0 ? abi::kFaultsPerSecond : faults,
                      .name_length = length,
                      .text = {}};
  std::memcpy(request.text, words.data() + kFixed, length);
  const bool printable =
      std::all_of(request.text, request.text + length, [](char c) { return c > ' ' && c <= '~'; });
  if (!printable) {
    return base::fail(Status::kBadArgument);
  }
  return request;
}

// A length, then a name packed into the words that follow, and nothing else.
base::Expected<RegionName, Status> decode_region_name(std::span<const std::uint64_t> words) {
  if (words.empty()) {
    return base::fail(Status::kBadMessage);
  }
  RegionName name{.length = words[0]};
  if (name.length == 0 || name.length > abi::kRegionNameMax) {
    return base::fail(Status::kBadArgument);
  }
  if (words.size() != 1 + (name.length + 7) / 8) {
    return base::fail(Status::kBadMessage);
  }
  std::memcpy(name.text, words.data() + 1, name.length);
  return name;
}

base::Expected<DecodedRequest, Status> decode_make_region(std::span<const std::uint64_t> words) {
  if (words.empty()) {
    return base::fail(Status::kBadMessage);
  }
  if (words[0] == 0 || words[0] > abi::kRegionMax) {
    return base::fail(Status::kBadArgument);
  }
  return MakeRegion{.bytes = words[0], .name = TRY(decode_region_name(words.subspan(1)))};
}

base::Expected<DecodedRequest, Status> decode_find_region(std::span<const std::uint64_t> words) {
  if (words.empty()) {
    return base::fail(Status::kBadMessage);
  }
  if (words[0] == abi::kNoRegion) {
    return FindRegion{.region = abi::kNoRegion, .name = TRY(decode_region_name(words.subspan(1)))};
  }
  if (words.size() != 1) {
    return base::fail(Status::kBadMessage);
  }
  return FindRegion{.region = words[0], .name = {}};
}

base::Expected<std::uint32_t, Status> decode_number(std::span<const std::uint64_t> words,
                                                    std::size_t count) {
  if (words.size() != count) {
    return base::fail(Status::kBadMessage);
  }
  if (words[0] >= abi::kNoRealm) {
    return base::fail(Status::kNoSuchRealm);
  }
  return static_cast<std::uint32_t>(words[0]);
}

// The number of a binary, then that of a realm, which may be the one after the last: of none.
struct BinaryAndRealm {
  std::uint64_t binary;
  std::uint32_t realm;
};
base::Expected<BinaryAndRealm, Status> decode_binary(std::span<const std::uint64_t> words,
                                                     bool of_none = false) {
  if (words.size() != 2) {
    return base::fail(Status::kBadMessage);
  }
  if (words[0] == abi::kNoBinary) {
    return base::fail(Status::kNoSuchBinary);
  }
  if (of_none && words[1] == abi::kNoRealm) {
    return BinaryAndRealm{.binary = words[0], .realm = abi::kNoRealm};
  }
  return BinaryAndRealm{.binary = words[0], .realm = TRY(decode_number(words.last(1), 1))};
}

// The last word is a slot; how many there are depends on the realm.
base::Expected<std::uint64_t, Status> decode_slot(std::span<const std::uint64_t> words,
                                                  std::size_t count) {
  if (words.size() != count) {
    return base::fail(Status::kBadMessage);
  }
  if (words.back() >= std::uint64_t{1} << abi::object_bits(abi::kInitCSpaceBits)) {
    return base::fail(Status::kBadArgument);
  }
  return words.back();
}

struct SizeRange {
  unsigned least, most;
};

// What a realm may say about the size of an object; all but these have one size.
SizeRange sizes_of(abi::ObjectType type) {
  switch (type) {
    case abi::ObjectType::kUntyped:
      return {abi::kMinUntypedBits, 30};
    case abi::ObjectType::kCNode:
      return {1, 20};
    case abi::ObjectType::kSchedContext:
      return {abi::kMinSchedContextBits, 12};
    default:
      return {0, 0};
  }
}

// Pages of 1 GiB and tables for devices are not for realms.
bool makes_sense(abi::ObjectType type) {
  return type <= abi::ObjectType::kPml4 || type == abi::ObjectType::kPage4K ||
         type == abi::ObjectType::kLargePage || type == abi::ObjectType::kPageTable ||
         type == abi::ObjectType::kPageDirectory;
}

base::Expected<MakeObject, Status> decode_object(std::span<const std::uint64_t> words) {
  const std::uint64_t slot = TRY(decode_slot(words, 3));
  const auto type = static_cast<abi::ObjectType>(words[0]);
  if (words[0] >= abi::kObjectTypeCount || !makes_sense(type)) {
    return base::fail(Status::kBadArgument);
  }
  const SizeRange sizes = sizes_of(type);
  if (words[1] < sizes.least || words[1] > sizes.most) {
    return base::fail(Status::kBadArgument);
  }
  return MakeObject{.type = type, .size_bits = static_cast<unsigned>(words[1]), .slot = slot};
}

bool known_rights(std::uint64_t rights) {
  return (rights & ~std::uint64_t{abi::kAllRights.raw()}) == 0;
}

base::Expected<DecodedRequest, Status> decode_offer(std::span<const std::uint64_t> words) {
  if (words.size() != 4) {
    return base::fail(Status::kBadMessage);
  }
  if (!known_rights(words[2])) {
    return base::fail(Status::kBadArgument);
  }
  return OfferCapability{.slot = TRY(decode_slot(words.first(1), 1)),
                         .realm = TRY(decode_number(words.subspan(1, 1), 1)),
                         .rights = words[2],
                         .badge = words[3]};
}

base::Expected<DecodedRequest, Status> decode_take(std::span<const std::uint64_t> words) {
  const std::uint64_t slot = TRY(decode_slot(words, 4));
  if (!known_rights(words[2])) {
    return base::fail(Status::kBadArgument);
  }
  return TakeCapability{.realm = TRY(decode_number(words.first(1), 1)),
                        .number = words[1],
                        .rights = words[2],
                        .slot = slot};
}

base::Expected<std::uint64_t, Status> decode_helper(std::span<const std::uint64_t> words) {
  if (words.size() != 1) {
    return base::fail(Status::kBadMessage);
  }
  if (words[0] >= abi::kHelperMax) {
    return base::fail(Status::kBadArgument);
  }
  return words[0];
}

}  // namespace

base::Expected<DecodedRequest, Status> decode_request(std::uint64_t label,
                                                      std::span<const std::uint64_t> words) {
  const auto one_word = [&]() -> base::Expected<std::uint64_t, Status> {
    if (words.size() != 1) {
      return base::fail(Status::kBadMessage);
    }
    return words[0];
  };
  const auto without_words = [&](DecodedRequest request) -> base::Expected<DecodedRequest, Status> {
    if (!words.empty()) {
      return base::fail(Status::kBadMessage);
    }
    return request;
  };
  switch (static_cast<abi::Request>(label)) {
    case abi::Request::kMapPages:
      return MapPages{TRY(decode_pages(words))};
    case abi::Request::kUnmapPages:
      return UnmapPages{TRY(decode_pages(words))};
    case abi::Request::kFigures:
      return without_words(Figures{});
    case abi::Request::kSetDeadline:
      return SetDeadline{TRY(one_word())};
    case abi::Request::kLog:
      return decode_log(words);
    case abi::Request::kExit:
      return decode_exit(words);
    case abi::Request::kRequestMemory:
      return RequestMemory{TRY(one_word())};
    case abi::Request::kCreateRealm:
      return decode_create(words);
    case abi::Request::kRunRealm:
      return RunRealm{TRY(decode_number(words, 1))};
    case abi::Request::kSuspendRealm:
      return SuspendRealm{TRY(decode_number(words, 1))};
    case abi::Request::kTerminateRealm:
      return TerminateRealm{TRY(decode_number(words, 1))};
    case abi::Request::kRealmInfo:
      return RealmInfo{TRY(decode_number(words, 1))};
    case abi::Request::kChildRealms:
      return ChildRealms{.realm = TRY(decode_number(words, 2)), .skip = words[1]};
    case abi::Request::kNextEnded:
      return without_words(NextEnded{});
    case abi::Request::kMakeObject:
      return decode_object(words);
    case abi::Request::kFreeObject:
      return FreeObject{TRY(decode_slot(words, 1))};
    case abi::Request::kMakeIrqHandler: {
      const std::uint64_t slot = TRY(decode_slot(words, 2));
      if (words[0] >= abi::kInterruptVectors) {
        return base::fail(Status::kBadArgument);
      }
      return MakeIrqHandler{.interrupt = words[0], .slot = slot};
    }
    case abi::Request::kGiveSchedControl: {
      const std::uint64_t slot = TRY(decode_slot(words, 2));
      if (words[0] >= abi::kRealmWorkersMax) {
        return base::fail(Status::kBadArgument);
      }
      return GiveSchedControl{.core = words[0], .slot = slot};
    }
    case abi::Request::kGivePorts: {
      const std::uint64_t slot = TRY(decode_slot(words, 3));
      if (words[0] > words[1] || words[1] >= abi::kPorts) {
        return base::fail(Status::kBadArgument);
      }
      return GivePorts{.first = words[0], .last = words[1], .slot = slot};
    }
    case abi::Request::kMakeHelper:
      return MakeHelper{TRY(decode_helper(words))};
    case abi::Request::kRestartHelper:
      return RestartHelper{TRY(decode_helper(words))};
    case abi::Request::kConnectRealms:
      return ConnectRealms{.first = TRY(decode_number(words, 2)),
                           .second = TRY(decode_number(words.last(1), 1))};
    case abi::Request::kDisconnectRealms:
      return DisconnectRealms{.one = TRY(decode_number(words, 2)),
                              .other = TRY(decode_number(words.last(1), 1))};
    case abi::Request::kOfferCapability:
      return decode_offer(words);
    case abi::Request::kTakeCapability:
      return decode_take(words);
    case abi::Request::kLostCapabilities:
      return without_words(LostCapabilities{});
    case abi::Request::kMakeRegion:
      return decode_make_region(words);
    case abi::Request::kShareRegion:
      if (words.size() != 3) {
        return base::fail(Status::kBadMessage);
      }
      if (words[2] > 1) {
        return base::fail(Status::kBadArgument);
      }
      return ShareRegion{.region = words[0],
                         .realm = TRY(decode_number(words.subspan(1), 2)),
                         .writable = words[2] == 1};
    case abi::Request::kUnshareRegion:
      if (words.size() != 2) {
        return base::fail(Status::kBadMessage);
      }
      return UnshareRegion{.region = words[0], .realm = TRY(decode_number(words.subspan(1), 1))};
    case abi::Request::kFindRegion:
      return decode_find_region(words);
    case abi::Request::kReleaseRegion:
      return ReleaseRegion{TRY(one_word())};
    case abi::Request::kMakeBinary: {
      const std::uint32_t realm = TRY(decode_number(words, 2));
      if (words[1] < abi::kLeastBinary || words[1] > abi::kBinaryMax) {
        return base::fail(Status::kBadArgument);
      }
      return MakeBinary{.realm = realm, .bytes = words[1]};
    }
    case abi::Request::kGiveBinary: {
      const auto [binary, realm] = TRY(decode_binary(words));
      return GiveBinary{.binary = binary, .realm = realm};
    }
    case abi::Request::kTakeBinary: {
      const auto [binary, realm] = TRY(decode_binary(words));
      return TakeBinary{.binary = binary, .from = realm};
    }
    case abi::Request::kTakeBackBinary: {
      const auto [binary, realm] = TRY(decode_binary(words));
      return TakeBackBinary{.binary = binary, .realm = realm};
    }
    case abi::Request::kDropBinary: {
      const auto [binary, from] = TRY(decode_binary(words, true));
      return DropBinary{.binary = binary, .from = from};
    }
  }
  return base::fail(Status::kUnknownRequest);
}

void sanitize(std::span<char> text) {
  for (char& character : text) {
    if (character < ' ' || character > '~') {
      character = '?';
    }
  }
}

}  // namespace lona::manager
