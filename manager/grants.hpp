// SPDX-License-Identifier: BSD-2-Clause
// Which memory has a realm been given by request? A grant is one run of frames at one address; a
// request whose pages did not come out of one block made several.
#pragma once

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
};

}  // namespace lona::manager
