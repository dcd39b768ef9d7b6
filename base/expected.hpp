// SPDX-License-Identifier: BSD-2-Clause
// The one error channel: a function that can fail returns Expected<T, Error>.
#pragma once

#include <expected>
#include <utility>

namespace lona::base {

template <typename T, typename Error>
using Expected = std::expected<T, Error>;

template <typename Error>
[[nodiscard]] constexpr std::unexpected<std::decay_t<Error>> fail(Error&& error) {
  return std::unexpected<std::decay_t<Error>>(std::forward<Error>(error));
}

}  // namespace lona::base

// The value of an Expected, or return its error from the enclosing function.
#define TRY(...)                                                  \
  __extension__({                                                 \
    auto&& try_result_ = (__VA_ARGS__);                           \
    if (!try_result_.has_value()) {                               \
      return ::std::unexpected(::std::move(try_result_).error()); \
    }                                                             \
    *::std::move(try_result_);                                    \
  })
