// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/regions.hpp"

#include <algorithm>

#include "vm/data/utf8.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

namespace {

// While a piece is copied nobody else's request can give its window to another region.
constexpr std::uint64_t kPiece = 64 * 1024;

}  // namespace

void SharedRegions::forget(std::uint64_t places) {
  for (unsigned place = 0; place < platform::kRegionPlaces; ++place) {
    if ((places >> place & 1) != 0) known_[place] = {};
  }
}

void SharedRegions::forget_number(std::uint64_t number) {
  for (Region& one : known_) {
    if (one.number == number) one = {};
  }
}

SharedRegions::Found SharedRegions::keep(const platform::SharedRegion& answer) {
  forget(answer.gone);
  if (answer.error != Error::kNone || answer.region == platform::kNoRegion) {
    return {answer.error, {}};
  }
  const std::string_view text(answer.name, answer.name_length);
  const SymbolEntry* name = utf8::valid_prefix(text) == text.size() ? try_intern(text) : nullptr;
  if (name == nullptr) return {Error::kNoMemory, {}};
  Region& place = known_[answer.place];
  place = {.number = answer.region,
           .place = answer.place,
           .bytes = answer.bytes,
           .writable = answer.writable,
           .name = name};
  return {Error::kNone, place};
}

SharedRegions::Found SharedRegions::make(std::uint64_t bytes, const SymbolEntry* name) {
  Guard guard(lock_);
  return keep(platform::make_region(bytes, name->full()));
}

SharedRegions::Found SharedRegions::find(const SymbolEntry* name) {
  Guard guard(lock_);
  return keep(platform::find_region(platform::kNoRegion, name->full()));
}

SharedRegions::Found SharedRegions::look_up(std::uint64_t number) {
  Guard guard(lock_);
  if (number == platform::kNoRegion) return {Error::kNoSuchRegion, {}};
  for (const Region& one : known_) {
    if (one.number == number) return {Error::kNone, one};
  }
  return keep(platform::find_region(number, {}));
}

SharedRegions::Error SharedRegions::share(std::uint64_t number, std::uint32_t realm,
                                          bool writable) {
  Guard guard(lock_);
  return keep(platform::share_region(number, realm, writable)).error;
}

SharedRegions::Error SharedRegions::unshare(std::uint64_t number, std::uint32_t realm) {
  Guard guard(lock_);
  return keep(platform::unshare_region(number, realm)).error;
}

SharedRegions::Error SharedRegions::release(std::uint64_t number) {
  Guard guard(lock_);
  const Error done = keep(platform::release_region(number)).error;
  if (done == Error::kNone) forget_number(number);
  return done;
}

SharedRegions::Error SharedRegions::read(const Region& region, std::uint64_t offset,
                                         std::span<std::uint8_t> bytes) {
  for (std::uint64_t at = 0; at < bytes.size(); at += kPiece) {
    Guard guard(lock_);
    const auto* from = platform::region_window(region.place) + offset + at;
    const std::uint64_t now = std::min<std::uint64_t>(kPiece, bytes.size() - at);
    if (known_[region.place].number != region.number ||
        !platform::copy_region(bytes.data() + at, from, now)) {
      forget_number(region.number);
      return Error::kNoSuchRegion;
    }
  }
  return Error::kNone;
}

SharedRegions::Error SharedRegions::write(const Region& region, std::uint64_t offset,
                                          std::span<const std::uint8_t> bytes) {
  for (std::uint64_t at = 0; at < bytes.size(); at += kPiece) {
    Guard guard(lock_);
    auto* to = platform::region_window(region.place) + offset + at;
    const std::uint64_t now = std::min<std::uint64_t>(kPiece, bytes.size() - at);
    if (known_[region.place].number != region.number ||
        !platform::copy_region(to, bytes.data() + at, now)) {
      forget_number(region.number);
      return Error::kNoSuchRegion;
    }
  }
  return Error::kNone;
}

}  // namespace lona::vm
