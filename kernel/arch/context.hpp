// SPDX-License-Identifier: BSD-2-Clause
// The saved user state of the architecture this kernel is built for.
#pragma once

#include "kernel/arch/x86_64/context.hpp"
#include "kernel/arch/x86_64/debug_state.hpp"
