// SPDX-License-Identifier: BSD-2-Clause
// Which memory has a realm been given by request? A grant is one run of frames at one address; a
// request whose pages did not come out of one block made several.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
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

class GrantTable {
 public:
  explicit GrantTable(std::span<Grant> grants) : grants_(grants) {}

  [[nodiscard]] bool full() const { return count_ == grants_.size(); }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] Grant& at(std::size_t index) { return grants_[index]; }

  // The caller has asked full().
  void add(const Grant& grant) { grants_[count_++] = grant; }
  void remove(std::size_t index) { grants_[index] = grants_[--count_]; }

  // True when this is exactly what one request gave.
  [[nodiscard]] bool given(const PageRange& pages) const {
    for (std::size_t index = 0; index < count_; ++index) {
      if (grants_[index].request == pages) {
        return true;
      }
    }
    return false;
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

  // True when no grant touches the range.
  [[nodiscard]] bool clear_of(const PageRange& pages) const {
    for (std::size_t index = 0; index < count_; ++index) {
      const Grant& grant = grants_[index];
      if (grant.address < pages.address + pages.bytes() &&
          pages.address < grant.address + grant.frames.bytes()) {
        return false;
      }
    }
    return true;
  }

 private:
  std::span<Grant> grants_;
  std::size_t count_ = 0;
  std::atomic<std::size_t> published_{0};
};

}  // namespace lona::manager
