// SPDX-License-Identifier: BSD-2-Clause
#pragma once

// Between processor vectors and the kernel's interrupt numbers.

namespace lona::kernel {

// Numbers are those of abi/sel4/types.hpp plus 16; vectors lie 0x20 above the numbers.
bool is_irq_vector(unsigned vector);
unsigned irq_of_vector(unsigned vector);

// Quietens the source and acknowledges the controller. False: the driver is still busy with the
// previous one, and will get this one when it acknowledges.
bool irq_arrived(unsigned irq);

}  // namespace lona::kernel
