// SPDX-License-Identifier: BSD-2-Clause
// The groups of rows, in the order in which they are printed.
#pragma once

namespace lona::bench {

void null_rows();
void invocation_rows();
void yield_rows();
void call_rows();
void send_and_signal_rows();
void mapping_rows();
void retype_rows();
void cnode_rows();
void thread_rows();
void space_rows();
void fault_rows();
void interrupt_rows();

}  // namespace lona::bench
