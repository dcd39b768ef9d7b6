// SPDX-License-Identifier: BSD-2-Clause
// Invocation labels: the method number in a message to a kernel object. They count through
// methods.def without the methods a configuration lacks.
#pragma once

#include <string_view>

#include "abi/sel4/types.hpp"

namespace lona::abi {

enum class MethodOption : unsigned char { Always, Iommu, HardwareDebug, Domains };

constexpr bool has_option(const Configuration& configuration, MethodOption option) {
  switch (option) {
    case MethodOption::Iommu:
      return configuration.iommu;
    case MethodOption::HardwareDebug:
      return configuration.hardware_debug;
    case MethodOption::Domains:
      return configuration.domains > 1;
    case MethodOption::Always:
      break;
  }
  return true;
}

// A method's place in methods.def, whatever the configuration.
enum class Method : unsigned {
#define METHOD(id, ...) id,
#include "abi/sel4/methods.def"
  kCount
};

struct MethodInfo {
  std::string_view object, name;
  MethodOption option;
  unsigned caps;   // capabilities that must come along
  unsigned words;  // message words at least
};

namespace detail {

// Words in a list of names; one that ends in '*' may be missing.
consteval unsigned count_names(std::string_view names) {
  unsigned count = 0;
  bool inside = false;
  for (const char c : names) {
    if (c != ' ' && !inside) ++count;
    if (c == '*') --count;
    inside = c != ' ';
  }
  return count;
}

inline constexpr MethodInfo kMethods[] = {
#define METHOD(id, object, name, option, caps, words, results, text) \
  {#object, name, MethodOption::option, count_names(caps), count_names(words)},
#include "abi/sel4/methods.def"
};

}  // namespace detail

constexpr const MethodInfo& info_of(Method method) {
  return detail::kMethods[static_cast<unsigned>(method)];
}

// The number that means `method` to a kernel of this configuration. Methods it lacks get numbers
// that no message can carry.
constexpr Word label_number(Method method, const Configuration& configuration = kConfiguration) {
  const auto place = static_cast<unsigned>(method);
  if (!has_option(configuration, info_of(method).option)) return (~Word{0} >> 12) - place;
  Word number = 1;
  for (unsigned i = 0; i < place; ++i) {
    number += has_option(configuration, detail::kMethods[i].option);
  }
  return number;
}

enum class Label : Word {
  kInvalid = 0,
#define METHOD(id, ...) k##id = label_number(Method::id),
#include "abi/sel4/methods.def"
};

// What a message to the method must have; a decoder reads no more without asking for the length.
constexpr const MethodInfo& info_of(Label label) {
  for (unsigned i = 0; i < static_cast<unsigned>(Method::kCount); ++i) {
    if (static_cast<Label>(label_number(static_cast<Method>(i))) == label) {
      return detail::kMethods[i];
    }
  }
  __builtin_unreachable();
}

static_assert(label_number(Method::X86PageTableUnmap, {}) == 44);
static_assert(label_number(Method::X86PageMap, {}) == 45);
static_assert(label_number(Method::X86PageMap, {.iommu = true}) == 47);
static_assert(label_number(Method::X86PageGetAddress, {}) == 47);
static_assert(label_number(Method::X86PageGetAddress, {.iommu = true}) == 50);
static_assert(label_number(Method::X86IrqIssueHandlerMsi, {}) == 58);
static_assert(label_number(Method::X86IrqIssueHandlerMsi, {.iommu = true}) == 61);
static_assert(label_number(Method::TcbSetTlsBase, {.hardware_debug = true}) == 20);
static_assert(label_number(Method::SchedContextYieldTo, {}) == 38);
static_assert(info_of(Label::kTcbWriteRegisters).words == 2);
static_assert(info_of(Label::kCNodeRotate).words == 8 && info_of(Label::kCNodeRotate).caps == 2);

}  // namespace lona::abi
