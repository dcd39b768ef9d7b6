// SPDX-License-Identifier: BSD-2-Clause
// Channels between two children of one realm, which that realm asks for. The memory is the
// parent's; all of this happens on its service thread, which is also the one that takes the
// children down, so nothing here needs a lock.
//
// When a child goes, the other one still has the channel mapped, as its VM may be looking at it: it
// goes when the parent says so, or with the other child.
#pragma once

#include "manager/realm.hpp"

namespace lona::manager {

class Realms;

class PeerChannels {
 public:
  explicit PeerChannels(Realms& realms) : realms_(realms) {}

  // The channel's numbers in the two realms. Those of a channel that is there already, too.
  struct Connected {
    std::uint64_t first;
    std::uint64_t second;
  };
  [[nodiscard]] base::Expected<Connected, abi::Status> connect(Realm& parent, std::uint32_t first,
                                                               std::uint32_t second);
  [[nodiscard]] abi::Status disconnect(Realm& parent, std::uint32_t one, std::uint32_t other);
  // The child stands still and is about to go.
  void leave(Realm& parent, std::uint32_t child);

 private:
  [[nodiscard]] abi::Status build(Realm& parent, PeerLink& link, Realm& first, Realm& second);
  void drop_side(Realm& parent, PeerLink& link, std::size_t side);
  void drop(Realm& parent, PeerLink& link);

  Realms& realms_;
};

}  // namespace lona::manager
