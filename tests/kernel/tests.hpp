// SPDX-License-Identifier: BSD-2-Clause
#pragma once

namespace lona::test {

#define TEST(name) void name();
#include "tests/kernel/tests.def"

}  // namespace lona::test
