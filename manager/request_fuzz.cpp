// SPDX-License-Identifier: BSD-2-Clause
// Any messages of any realms, one after another: what is decoded keeps the protocol's promises, and
// the tree of realms stays what a plain list of parents says.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <span>
#include <vector>

#include "manager/realm_tree.hpp"
#include "manager/request.hpp"

namespace lona::manager {
namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)); }
  std::uint64_t word() { return take(8); }

 private:
  std::uint64_t take(std::size_t count) {
    count = std::min(count, bytes_.size());
    std::uint64_t value = 0;
    std::memcpy(&value, bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
    return value;
  }
  std::span<const std::uint8_t> bytes_;
};

void check(const PageRange& pages) {
  must(pages.bytes() != 0 && pages.bytes() <= abi::kMapBytesMax);
  must(pages.count <= abi::kMapPagesMax && pages.address % (1ULL << pages.page_bits) == 0);
  const abi::Address last = pages.address + pages.bytes() - 1;
  if (abi::kPoolRange.contains(pages.address)) return must(abi::kPoolRange.contains(last));
  constexpr abi::AddressRange kLevels = abi::levels_above(abi::kLevelMax);
  must(kLevels.contains(pages.address) && kLevels.contains(last));
  must((pages.address - kLevels.start) / abi::kLevelSize ==
       (last - kLevels.start) / abi::kLevelSize);
}

void check_slot(std::uint64_t slot) {
  must(slot >> abi::object_bits(abi::kInitCSpaceBits) == 0);
}

void check(const RegionName& name) {
  must(name.length <= abi::kRegionNameMax && name.text[name.length] == 0);
}

struct Check {
  void operator()(const MapPages& request) const { check(request.pages); }
  void operator()(const UnmapPages& request) const { check(request.pages); }
  void operator()(const LogText& request) const {
    must(request.length <= abi::kLogMax && request.length <= (words.size() - 1) * 8);
  }
  void operator()(const CreateRealm& request) const {
    must(request.memory >= abi::kLeastRealmMemory && request.memory <= request.memory_max);
    must(request.memory_max <= abi::kMostRealmMemory && request.reserve <= request.share);
    must(request.reserve <= abi::kWholeCpu);
    must(request.share <= abi::kWholeCpu || request.share == abi::kNoShare);
    must(request.faults != 0 && request.faults <= abi::kMostFaultsPerSecond);
    must(!request.name().empty() && request.name().size() <= abi::kRealmNameMax);
    must(request.text[request.name_length] == 0);
    for (const char c : request.name()) must(c > ' ' && c <= '~');
  }
  void operator()(const MakeObject& request) const {
    check_slot(request.slot);
    must(request.size_bits <= 30);
  }
  void operator()(const FreeObject& request) const { check_slot(request.slot); }
  void operator()(const OfferCapability& request) const {
    check_slot(request.slot);
    must(request.rights <= 15 && request.realm != abi::kNoRealm);
  }
  void operator()(const TakeCapability& request) const {
    check_slot(request.slot);
    must(request.rights <= 15 && request.realm != abi::kNoRealm);
  }
  void operator()(const MakeIrqHandler& request) const {
    check_slot(request.slot);
    must(request.interrupt < abi::kInterruptVectors);
  }
  void operator()(const GiveSchedControl& request) const {
    check_slot(request.slot);
    must(request.core < abi::kRealmWorkersMax);
  }
  void operator()(const GivePorts& request) const {
    check_slot(request.slot);
    must(request.first <= request.last && request.last < abi::kPorts);
  }
  void operator()(const MakeHelper& request) const { must(request.number < abi::kHelperMax); }
  void operator()(const RestartHelper& request) const { must(request.number < abi::kHelperMax); }
  void operator()(const MakeRegion& request) const {
    must(request.bytes != 0 && request.bytes <= abi::kRegionMax && request.name.length != 0);
    check(request.name);
  }
  void operator()(const MakeBinary& request) const {
    must(request.bytes >= abi::kLeastBinary && request.bytes <= abi::kBinaryMax);
    must(request.realm != abi::kNoRealm);
  }
  void operator()(const GiveBinary& request) const {
    must(request.binary != abi::kNoBinary && request.realm != abi::kNoRealm);
  }
  void operator()(const TakeBinary& request) const {
    must(request.binary != abi::kNoBinary && request.from != abi::kNoRealm);
  }
  void operator()(const TakeBackBinary& request) const {
    must(request.binary != abi::kNoBinary && request.realm != abi::kNoRealm);
  }
  void operator()(const DropBinary& request) const { must(request.binary != abi::kNoBinary); }
  void operator()(const FindRegion& request) const {
    must((request.region == abi::kNoRegion) == (request.name.length != 0));
    check(request.name);
  }
  // Nothing but numbers that are looked up, or that may be anything.
  void operator()(const auto&) const {}

  std::span<const std::uint64_t> words;
};

// The tree beside the list of who has whom for a parent.
class Realms {
 public:
  // Often the newest one, so that the tree grows deep.
  std::uint32_t any(std::uint8_t choice) const {
    if (choice >= 0x80 && tree_.valid(newest_)) return newest_;
    auto at = parents_.begin();
    std::advance(at, choice % parents_.size());
    return at->first;
  }

  void make(std::uint32_t parent) {
    const auto made = tree_.add(parent);
    if (!made) return;
    newest_ = *made;
    must(parents_.emplace(*made, parent).second && tree_.parent(*made) == parent);
    must(tree_.depth(*made) == tree_.depth(parent) + 1);
    must(tree_.depth(*made) <= RealmTree::kMaxDepth);
  }

  void end(std::uint32_t sender, std::uint32_t realm) {
    must(tree_.valid(realm) == parents_.contains(realm));
    must(tree_.within(sender, realm) == within(sender, realm));
    if (realm == sender || !tree_.within(sender, realm)) return;
    std::vector<std::uint32_t> gone;
    tree_.each_within(realm, [&](std::uint32_t below) { gone.push_back(below); });
    must(gone.back() == realm);
    for (const std::uint32_t below : gone) must(within(realm, below));
    for (const std::uint32_t below : gone) must(parents_.erase(below) == 1);
    tree_.remove(realm);
    must(!tree_.valid(realm) && tree_.count() == parents_.size());
  }

 private:
  bool within(std::uint32_t above, std::uint32_t realm) const {
    while (parents_.contains(realm)) {
      if (realm == above) return true;
      realm = parents_.at(realm);
    }
    return false;
  }

  RealmTree tree_;
  std::uint32_t newest_ = RealmTree::kRoot;
  std::map<std::uint32_t, std::uint32_t> parents_{{RealmTree::kRoot, abi::kNoRealm}};
};

std::uint64_t next_word(Input& input, const Realms& realms) {
  switch (input.byte() % 5) {
    case 0:
      return input.byte();
    case 1:
      return abi::kPoolRange.start + (input.word() << 12);
    case 2:
      return abi::levels_above(abi::kLevelMax).start + (input.word() << 12);
    case 3:
      return realms.any(input.byte());
    default:
      return input.word();
  }
}

struct Message {
  std::uint64_t label;
  std::vector<std::uint64_t> words;
};

// A right one but perhaps for one word: few inputs would come upon it by themselves.
Message making(Input& input, const Realms& realms) {
  std::vector<std::uint64_t> words = {8 << 20, 16 << 20, 0, abi::kNoShare, 0, 1, 'a'};
  const std::uint8_t wrong = input.byte();
  if (wrong < words.size()) words[wrong] = next_word(input, realms);
  return {static_cast<std::uint64_t>(abi::Request::kCreateRealm), words};
}

Message any_message(Input& input, const Realms& realms) {
  const std::uint8_t choice = input.byte();
  if (choice >= 0xe0) return making(input, realms);
  Message message{.label = choice == 0xdf ? input.word() : 0x100 + choice % 0x60,
                  .words = std::vector<std::uint64_t>(input.byte() % 16)};
  for (std::uint64_t& word : message.words) word = next_word(input, realms);
  return message;
}

void serve(std::span<const std::uint8_t> bytes) {
  Input input(bytes);
  Realms realms;
  while (!input.empty()) {
    const std::uint32_t sender = realms.any(input.byte());
    const Message message = any_message(input, realms);
    const auto request = decode_request(message.label, message.words);
    if (!request) continue;
    std::visit(Check{message.words}, *request);
    if (std::holds_alternative<CreateRealm>(*request)) realms.make(sender);
    if (const auto* end = std::get_if<TerminateRealm>(&*request)) realms.end(sender, end->realm);
  }
}

}  // namespace
}  // namespace lona::manager

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lona::manager::serve({data, size});
  return 0;
}
