// SPDX-License-Identifier: BSD-2-Clause
// What the architecture this kernel is built for keeps for each core.
#pragma once

#include "kernel/arch/x86_64/core_state.hpp"
