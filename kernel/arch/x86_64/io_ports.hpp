// SPDX-License-Identifier: BSD-2-Clause
#pragma once

#include "kernel/api/invocation.hpp"

// I/O ports: who may use which, and the accesses themselves.

namespace lona::kernel {

void io_ports_release(unsigned first, unsigned last);

Result<Done> decode_io_port_control(Invocation& invocation);
Result<Done> decode_io_port(Invocation& invocation);

}  // namespace lona::kernel
