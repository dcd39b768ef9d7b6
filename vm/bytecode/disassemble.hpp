// SPDX-License-Identifier: BSD-2-Clause
// Code as text, one instruction a line: offset, name, operands, what the extra words hold.
#pragma once

#include "vm/code/function.hpp"
#include "vm/printer/printer.hpp"

namespace lona::vm {

// False when the sink has refused a piece.
bool disassemble(Sink& sink, const Function& function);

}  // namespace lona::vm
