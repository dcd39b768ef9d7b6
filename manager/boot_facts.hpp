// SPDX-License-Identifier: BSD-2-Clause
// What the additional chunks of the boot info say.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace lona::manager {

// `chunks` is what follows the boot info page. A chunk of a wrong length ends the search.
[[nodiscard]] std::optional<base::ByteView> find_chunk(base::ByteView chunks, std::uint64_t id);

// The rate of the time stamp counter that the kernel measured.
[[nodiscard]] std::optional<std::uint64_t> tsc_hertz(base::ByteView chunks);

}  // namespace lona::manager
