// SPDX-License-Identifier: BSD-2-Clause
// A realm's windows for shared binaries (shared_binaries.hpp).
#include <bit>

#include "manager/realm.hpp"

namespace lona::manager {

using abi::Error;
using abi::Status;

base::Expected<std::uint64_t, Status> Realm::take_binary_place() {
  const auto place = static_cast<std::uint64_t>(std::countr_one(binary_places_));
  if (place >= abi::kBinaryPlaces) {
    return base::fail(Status::kTooMany);
  }
  binary_places_ |= std::uint64_t{1} << place;
  return place;
}

base::Expected<abi::CPtr, Status> Realm::map_binary(const FrameRun& frames, std::uint64_t place,
                                                    abi::CapRights rights) {
  memory_.keep_slots_ready(frames.count + 64);
  const auto copies = memory_.take_slots(frames.count);
  if (!copies) {
    return base::fail(Status::kOutOfMemory);
  }
  const abi::Address window = abi::binary_window(place);
  for (std::uint64_t at = 0; at < frames.count; ++at) {
    const abi::CPtr copy = *copies + at;
    if (abi::cnode_copy(memory_.address_of(copy), memory_.address_of(frames.first + at), rights) !=
            Error::kNone ||
        space_.map(memory_, copy, window + (at << frames.page_bits), rights) != Error::kNone) {
      memory_.drop_caps(*copies, frames.count);
      return base::fail(Status::kOutOfMemory);
    }
  }
  return *copies;
}

Status Realm::seal_binary(const FrameRun& frames, std::uint64_t place, abi::CPtr copies) {
  const abi::Address window = abi::binary_window(place);
  for (std::uint64_t at = 0; at < frames.count; ++at) {
    if (abi::page_map(copies + at, space_.cap(), window + (at << frames.page_bits),
                      abi::kCanRead) != Error::kNone) {
      return Status::kBadState;
    }
  }
  return Status::kOk;
}

}  // namespace lona::manager
