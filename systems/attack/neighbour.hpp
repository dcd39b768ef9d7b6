// SPDX-License-Identifier: BSD-2-Clause
// The other end of a channel to a hostile realm beside it: with the rings and frames that the VM
// has.
#pragma once

#include <optional>

#include "systems/attack/realm.hpp"
#include "vm/realm/frames.hpp"

namespace attack {

class Neighbour {
 public:
  // Takes what has come on the channel that the first realm has named, and says something as well.
  void look(volatile Health& health);

 private:
  static constexpr std::size_t kLongest = 32 << 10;

  void hear(volatile Health& health);

  struct Channel {
    explicit Channel(base::ByteRing* rings) : out(rings[0]), in(rings[1]), coming(kLongest) {}

    base::ByteRingProducer out;
    base::ByteRingConsumer in;
    vm::FrameReader coming;
  };
  std::optional<Channel> channel_;
};

}  // namespace attack
