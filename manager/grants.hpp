// SPDX-License-Identifier: BSD-2-Clause
// Which memory has a realm been given by request? A grant is one run of frames at one address; a
// request whose pages did not come out of one block made several. A grant is found by its address
// in logarithmic time, since each request looks.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "abi/lona/address_map.hpp"
#include "manager/memory.hpp"
#include "manager/request.hpp"

namespace lona::manager {

struct Grant {
  abi::Address address = 0;
  PageRange request;
  FrameRun frames;
};

// Where a table keeps them, and their numbers by address.
struct GrantSpans {
  std::span<Grant> grants;
  std::span<std::uint16_t> order;
};
template <std::size_t kCount>
struct GrantSpace {
  static_assert(kCount <= 1 << 16);

  operator GrantSpans() { return {grants, order}; }

  std::array<Grant, kCount> grants{};
  std::array<std::uint16_t, kCount> order{};
};

class GrantTable {
 public:
  explicit GrantTable(GrantSpans spans) : grants_(spans.grants), order_(spans.order) {}

  [[nodiscard]] bool full() const { return count_ == grants_.size(); }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] Grant& at(std::size_t index) { return grants_[index]; }

  // The caller has asked full(), and clear_of() its pages.
  void add(const Grant& grant) {
    const std::size_t place = below(grant.address);
    std::uint16_t* const there = order_.data() + place;
    std::memmove(there + 1, there, (count_ - place) * sizeof(*there));
    *there = static_cast<std::uint16_t>(count_);
    grants_[count_++] = grant;
  }
  void remove(std::size_t index) {
    const std::size_t place = below(grants_[index].address);
    order_[below(grants_[--count_].address)] = static_cast<std::uint16_t>(index);
    std::uint16_t* const there = order_.data() + place;
    std::memmove(there, there + 1, (count_ - place) * sizeof(*there));
    grants_[index] = grants_[count_];
  }

  // What exactly this request gave at this address.
  [[nodiscard]] std::optional<std::size_t> find(const PageRange& pages,
                                                abi::Address address) const {
    const std::size_t place = below(address);
    return place < count_ && grants_[order_[place]].address == address &&
                   grants_[order_[place]].request == pages
               ? std::optional<std::size_t>(order_[place])
               : std::nullopt;
  }

  // True when no grant touches the range.
  [[nodiscard]] bool clear_of(const PageRange& pages) const {
    const std::size_t place = below(pages.address + pages.bytes());
    if (place == 0) {
      return true;
    }
    const Grant& last = grants_[order_[place - 1]];
    return last.address + last.frames.bytes() <= pages.address;
  }

  // A table whose grants are kept to the realm's end is read by the service threads of the realms
  // below, without a lock: they see what was published, which is never removed.
  void publish() { published_.store(count_, std::memory_order_release); }
  [[nodiscard]] const Grant* find_published(abi::Address address) const {
    const auto seen = grants_.first(published_.load(std::memory_order_acquire));
    const auto found = std::find_if(seen.begin(), seen.end(), [&](const Grant& grant) {
      return address - grant.address < grant.frames.bytes();
    });
    return found == seen.end() ? nullptr : &*found;
  }

 private:
  // How many are at lower addresses; they never overlap.
  [[nodiscard]] std::size_t below(abi::Address address) const {
    std::size_t first = 0;
    for (std::size_t left = count_; left > 0;) {
      const std::size_t half = left / 2;
      const bool lower = grants_[order_[first + half]].address < address;
      first = lower ? first + half + 1 : first;
      left = lower ? left - half - 1 : half;
    }
    return first;
  }

  std::span<Grant> grants_;
  std::span<std::uint16_t> order_;
  std::size_t count_ = 0;
  std::atomic<std::size_t> published_{0};
};

}  // namespace lona::manager
