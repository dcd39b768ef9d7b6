// SPDX-License-Identifier: BSD-2-Clause
// What the manager knows of the binaries whose memory is one realm's (shared_binaries.hpp): who has
// them, and to whom they were given and have not arrived yet. A binary without a use is dead.
//
// Realms below use the owner's memory here, so each may have only so much of it and so many
// entries; and all together leave the owner the most of its memory.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>

#include "abi/lona/protocol.hpp"
#include "abi/lona/realm_start.hpp"
#include "manager/memory.hpp"

namespace lona::manager {

class BinaryBook {
 public:
  static constexpr std::size_t kBinaries = 24;
  static constexpr std::size_t kUses = 64;
  static constexpr std::size_t kUsesOfOne = 24;  // of a realm that is not the owner
  static constexpr std::uint64_t kMostOfOne = 64 << 20;
  // Those that nobody has, but whose frames are kept for their maker's next one.
  static constexpr std::size_t kKept = 4;
  static constexpr std::size_t kKeptOfOne = 2;
  static constexpr std::uint64_t kMostKept = abi::kLargePage;

  struct Binary {
    enum class State : std::uint8_t {
      unused,
      making,
      filling,
      sealed,
      kept,
      dead,
      emptying,
      empty
    };
    // dead: without a use; empty: nothing is in its memory any more, which can be the owner's.
    State state = State::unused;
    std::uint32_t maker = abi::kNoRealm;
    std::uint32_t uses = 0;
    std::uint64_t number = abi::kNoBinary;
    std::uint64_t bytes = 0;
    std::uint64_t cost = 0;
    std::uint64_t dirty = 0;  // bytes that the maker may have written
    FrameRun frames;
  };
  struct Use {
    std::uint32_t realm = abi::kNoRealm;  // kNoRealm: the entry is not in use
    std::uint32_t from = abi::kNoRealm;   // gave it once to that realm, which has not taken it yet
    std::uint16_t binary = 0;
    std::uint16_t place = 0;  // of one that the realm has
    abi::CPtr copies = 0;     // likewise: of the caps to the frames
  };

  // Null: there is no such, or none that is unused.
  [[nodiscard]] Binary* find(std::uint64_t number);
  [[nodiscard]] Use* held(const Binary& binary, std::uint32_t realm);
  [[nodiscard]] Use* sent(const Binary& binary, std::uint32_t realm, std::uint32_t from);
  // A new one; it may be used by nobody until it has a number. It may have frames already, which
  // nobody else sees. Null: there is no room for it, and what is kept for others makes way.
  [[nodiscard]] Binary* add(std::uint32_t maker, std::uint64_t bytes, std::uint64_t cost,
                            std::uint64_t memory_of_owner);
  // Nobody has used it yet, nor will.
  void give_up(Binary& binary) { die(binary); }
  // Null: one of the two realms, or all, have too much already.
  [[nodiscard]] Use* add_use(Binary& binary, std::uint32_t realm, std::uint32_t from,
                             std::uint32_t owner, std::uint64_t memory_of_owner);
  void end(Use& use);
  // What was sent has come; or could not be used yet.
  static void arrive(Use& use, std::uint64_t place) {
    use.from = abi::kNoRealm;
    use.place = static_cast<std::uint16_t>(place);
  }
  static void send_again(Use& use, std::uint32_t from) { use.from = from; }
  [[nodiscard]] Binary& binary_of(const Use& use) { return binaries_[use.binary]; }

  // Uses by realms for which `gone` is true, and what they have sent.
  template <typename Gone>
  void leave(Gone&& gone) {
    for (Binary& binary : binaries_) {
      if (binary.maker != abi::kNoRealm && gone(binary.maker)) {
        forget_maker(binary);
      }
    }
    for (Use& use : uses_) {
      if (use.realm != abi::kNoRealm &&
          (gone(use.realm) || (use.from != abi::kNoRealm && gone(use.from)))) {
        end(use);
      }
    }
  }

  // Nothing is kept any more.
  void let_go();
  // There was a binary once; without a lock.
  [[nodiscard]] bool in_use() const { return in_use_.load(std::memory_order_relaxed); }
  // Dead ones that are in the book still.
  [[nodiscard]] bool any_dead() const { return any_dead_.load(std::memory_order_relaxed); }
  // One whose memory the caller empties, and says so; null: there is none.
  [[nodiscard]] Binary* next_to_empty();
  static void emptied(Binary& binary) { binary.state = Binary::State::empty; }
  // One that is empty, and not in the book any more then; without frames: there is none.
  [[nodiscard]] Binary take_empty();

  // Of that realm: what it has, and what it may take.
  [[nodiscard]] std::size_t uses_of(std::uint32_t realm) const;
  [[nodiscard]] std::uint64_t cost_of_all() const;
  // Of what that realm has, or has sent or been sent.
  [[nodiscard]] std::uint64_t cost_of(std::uint32_t realm) const;

 private:
  [[nodiscard]] bool room_for(std::uint32_t realm, std::uint64_t cost,
                              std::uint64_t memory_of_owner) const;
  [[nodiscard]] Binary* first_in(Binary::State state);
  [[nodiscard]] bool is_to_be_kept(const Binary& binary) const;
  void die(Binary& binary);
  void forget_maker(Binary& binary);

  std::array<Binary, kBinaries> binaries_{};
  std::array<Use, kUses> uses_{};
  std::size_t used_ = 0;
  std::atomic<bool> in_use_{false};
  std::atomic<bool> any_dead_{false};
};

}  // namespace lona::manager
