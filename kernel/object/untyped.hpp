// SPDX-License-Identifier: BSD-2-Clause
// Untyped memory: the one way to make objects (manual, "Kernel Memory Allocation").
#pragma once

#include "kernel/api/invocation.hpp"

namespace lona::kernel {

// log2 of an object's size; 0 for a type that does not exist.
unsigned object_size_bits(abi::ObjectType type, Word size_argument);

Result<Done> decode_untyped(Invocation& invocation);

}  // namespace lona::kernel
