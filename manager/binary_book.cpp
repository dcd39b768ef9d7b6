// SPDX-License-Identifier: BSD-2-Clause
#include "manager/binary_book.hpp"

namespace lona::manager {

using State = BinaryBook::Binary::State;

namespace {

template <typename All, typename Test>
auto* first(All& all, Test&& test) {
  const auto found = std::find_if(all.begin(), all.end(), test);
  return found == all.end() ? nullptr : &*found;
}

// Is the use counted as that realm's?
bool concerns(const BinaryBook::Use& use, std::uint32_t realm) {
  return use.realm != abi::kNoRealm && (use.realm == realm || use.from == realm);
}

}  // namespace

BinaryBook::Binary* BinaryBook::find(std::uint64_t number) {
  if (number == abi::kNoBinary) {
    return nullptr;
  }
  return first(binaries_, [&](const Binary& one) {
    return one.number == number && (one.state == State::filling || one.state == State::sealed);
  });
}

BinaryBook::Use* BinaryBook::held(const Binary& binary, std::uint32_t realm) {
  return first(uses_, [&](const Use& use) {
    return use.realm == realm && use.from == abi::kNoRealm && &binaries_[use.binary] == &binary;
  });
}

BinaryBook::Use* BinaryBook::sent(const Binary& binary, std::uint32_t realm, std::uint32_t from) {
  if (from == abi::kNoRealm) {
    return nullptr;
  }
  return first(uses_, [&](const Use& use) {
    return use.realm == realm && use.from == from && &binaries_[use.binary] == &binary;
  });
}

BinaryBook::Binary* BinaryBook::add(std::uint32_t maker, std::uint64_t bytes, std::uint64_t cost,
                                    std::uint64_t memory_of_owner) {
  if (Binary* kept = first(binaries_, [&](const Binary& one) {
        return one.state == State::kept && one.maker == maker && one.cost == cost;
      })) {
    kept->state = State::making;
    kept->number = abi::kNoBinary;
    kept->bytes = bytes;
    return kept;
  }
  Binary* made = first(binaries_, [](const Binary& one) { return one.state == State::unused; });
  if (made == nullptr || cost_of_all() + cost > memory_of_owner / 4) {
    let_go();
    return nullptr;
  }
  in_use_.store(true, std::memory_order_relaxed);
  *made = {.state = State::making, .maker = maker, .bytes = bytes, .cost = cost, .frames = {}};
  return made;
}

BinaryBook::Use* BinaryBook::add_use(Binary& binary, std::uint32_t realm, std::uint32_t from,
                                     std::uint32_t owner, std::uint64_t memory_of_owner) {
  Use* use = first(uses_, [](const Use& one) { return one.realm == abi::kNoRealm; });
  if (use == nullptr || (realm != owner && !room_for(realm, binary.cost, memory_of_owner)) ||
      (from != abi::kNoRealm && from != owner && !room_for(from, binary.cost, memory_of_owner))) {
    return nullptr;
  }
  *use = {.realm = realm,
          .from = from,
          .binary = static_cast<std::uint16_t>(&binary - binaries_.data())};
  ++binary.uses;
  ++used_;
  return use;
}

bool BinaryBook::room_for(std::uint32_t realm, std::uint64_t cost,
                          std::uint64_t memory_of_owner) const {
  const auto count = std::count_if(uses_.begin(), uses_.end(),
                                   [&](const Use& use) { return concerns(use, realm); });
  return static_cast<std::size_t>(count) < kUsesOfOne &&
         cost_of(realm) + cost <= std::min(memory_of_owner / 8, kMostOfOne);
}

void BinaryBook::end(Use& use) {
  Binary& binary = binaries_[use.binary];
  use = {};
  --used_;
  if (--binary.uses == 0) {
    if (is_to_be_kept(binary)) {
      binary.state = State::kept;
      binary.dirty = std::max(binary.dirty, binary.bytes);
    } else {
      die(binary);
    }
  }
}

void BinaryBook::die(Binary& binary) {
  binary.state = State::dead;
  any_dead_.store(true, std::memory_order_relaxed);
}

// What is not whole is not worth it.
bool BinaryBook::is_to_be_kept(const Binary& binary) const {
  if (binary.maker == abi::kNoRealm || binary.cost > kMostKept ||
      (binary.state != State::filling && binary.state != State::sealed)) {
    return false;
  }
  std::size_t all = 0, of_one = 0;
  for (const Binary& one : binaries_) {
    all += one.state == State::kept ? 1 : 0;
    of_one += one.state == State::kept && one.maker == binary.maker ? 1 : 0;
  }
  return all < kKept && of_one < kKeptOfOne;
}

void BinaryBook::let_go() {
  while (Binary* kept = first_in(State::kept)) {
    die(*kept);
  }
}

void BinaryBook::forget_maker(Binary& binary) {
  binary.maker = abi::kNoRealm;
  if (binary.state == State::kept) {
    die(binary);
  }
}

BinaryBook::Binary* BinaryBook::first_in(State state) {
  return first(binaries_, [state](const Binary& one) { return one.state == state; });
}

// One that never got memory needs no more.
BinaryBook::Binary* BinaryBook::next_to_empty() {
  while (Binary* dead = first_in(State::dead)) {
    if (dead->frames.count != 0) {
      dead->state = State::emptying;
      return dead;
    }
    *dead = {};
  }
  return nullptr;
}

BinaryBook::Binary BinaryBook::take_empty() {
  Binary taken;
  if (Binary* empty = first_in(State::empty)) {
    taken = *empty;
    *empty = {};
  }
  any_dead_.store(first_in(State::dead) != nullptr || first_in(State::emptying) != nullptr ||
                      first_in(State::empty) != nullptr,
                  std::memory_order_relaxed);
  return taken;
}

std::size_t BinaryBook::uses_of(std::uint32_t realm) const {
  if (used_ == 0) {
    return 0;
  }
  const auto count =
      std::count_if(uses_.begin(), uses_.end(), [&](const Use& use) { return use.realm == realm; });
  return static_cast<std::size_t>(count);
}

std::uint64_t BinaryBook::cost_of_all() const {
  std::uint64_t sum = 0;
  for (const Binary& one : binaries_) {
    sum += one.cost;
  }
  return sum;
}

std::uint64_t BinaryBook::cost_of(std::uint32_t realm) const {
  std::uint64_t sum = 0;
  for (const Use& use : uses_) {
    if (concerns(use, realm)) {
      sum += binaries_[use.binary].cost;
    }
  }
  return sum;
}

}  // namespace lona::manager
