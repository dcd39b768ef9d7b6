// SPDX-License-Identifier: BSD-2-Clause
// Names of C++ functions for people: `lona::vm::load_var_slow` of a symbol's
// _ZN4lona2vm13load_var_slowERNS0_7ProcessE, without the types of its parameters. Namespaces
// without a name are left out; what is more involved (templates, lambdas) ends the name early, and
// what is no such name stays as it is.
#pragma once

#include "base/format.hpp"

namespace lona::base {

struct FunctionName {
  std::string_view symbol;
};

inline TextWriter& operator<<(TextWriter& out, FunctionName name) {
  std::string_view rest = name.symbol;
  if (!rest.starts_with("_Z")) {
    return out << rest;
  }
  rest.remove_prefix(2);
  const bool nested = rest.starts_with('N');
  while (!rest.empty() && (rest[0] == 'N' || rest[0] == 'K' || rest[0] == 'L')) {
    rest.remove_prefix(1);
  }
  bool any = false;
  while (!rest.empty() && rest[0] >= '1' && rest[0] <= '9') {
    std::size_t length = 0;
    while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9' && length <= name.symbol.size()) {
      length = length * 10 + static_cast<std::size_t>(rest[0] - '0');
      rest.remove_prefix(1);
    }
    if (length > rest.size()) {
      break;
    }
    const std::string_view part = rest.substr(0, length);
    rest.remove_prefix(length);
    if (!part.starts_with("_GLOBAL_")) {
      out << (any ? "::" : "") << part;
      any = true;
    }
    if (!nested) {
      break;
    }
  }
  return any ? out : out << name.symbol;
}

}  // namespace lona::base
