// SPDX-License-Identifier: BSD-2-Clause
#include "vm/realm/binaries.hpp"

#include <algorithm>
#include <string_view>

namespace lona::vm {

OutgoingBinaries::~OutgoingBinaries() {
  while (count_ > 0) platform::take_back_binary(given_[--count_], realm_);
}

bool OutgoingBinaries::give(OffHeapBlock* shared) {
  const std::uint64_t number = SharedWindow::of(shared).number;
  const auto end = given_.begin() + count_;
  if (std::find(given_.begin(), end, number) != end) return true;
  if (count_ == given_.size() ||
      platform::give_binary(number, realm_) != platform::RealmError::kNone) {
    return false;
  }
  given_[count_++] = number;
  return true;
}

// A value's bytes do not change, so neither do those of a twin.
bool OutgoingBinaries::share(Term blob, std::span<const std::uint8_t> bytes, SharedPart& part) {
  if (bytes.size() < platform::kLeastBinary || bytes.size() > platform::kMostBinary) return false;
  const std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  OffHeapBlock* block = blob.is_nil() ? nullptr : blob_block(blob);
  const bool shared = block != nullptr && is_shared_block(block);
  if (OffHeapBlock* one = shared ? block : block == nullptr ? nullptr : shared_twin(block, text)) {
    const SharedWindow& window = SharedWindow::of(one);
    const char* start = shared ? window.start : window.source;
    part = {window.number, static_cast<std::uint32_t>(text.data() - start)};
    if (give(one)) return true;
    // It may be of memory that the receiver cannot be let see.
  }
  OffHeapBlock* fresh = make_shared_block(realm_, text);
  if (fresh == nullptr) return false;
  SharedWindow& window = SharedWindow::of(fresh);
  window.source = text.data();
  part = {window.number, 0};
  const bool given = give(fresh);
  if (given && block != nullptr && !shared) {
    set_shared_twin(block, fresh);
  } else {
    release_off_heap(fresh);
  }
  return given;
}

void IncomingBinaries::done() {
  while (count_ > 0) release_off_heap(taken_[--count_]);
  if (lacking_ != kNone) platform::drop_binary(lacking_, peer_);
  lacking_ = kNone;
}

OffHeapBlock* IncomingBinaries::find(std::uint64_t number, bool& no_memory) {
  for (std::size_t at = 0; at < count_; ++at) {
    if (SharedWindow::of(taken_[at]).number == number) return taken_[at];
  }
  if (count_ == taken_.size()) return nullptr;
  const TakenBlock taken = take_shared_block(number, peer_);
  no_memory = taken.no_memory;
  lacking_ = taken.no_memory ? number : kNone;
  if (taken.block != nullptr) taken_[count_++] = taken.block;
  return taken.block;
}

IncomingBinaries::Bytes IncomingBinaries::take(const SharedPart& part, std::size_t size,
                                               bool& no_memory) {
  if (size < platform::kLeastBinary) return {nullptr, {}};
  OffHeapBlock* block = find(part.number, no_memory);
  if (block == nullptr) return {nullptr, {}};
  const SharedWindow& window = SharedWindow::of(block);
  if (part.offset > window.size || size > window.size - part.offset) return {nullptr, {}};
  return {block, {reinterpret_cast<const std::uint8_t*>(window.start) + part.offset, size}};
}

}  // namespace lona::vm
