// SPDX-License-Identifier: BSD-2-Clause
// Why a process ended, in words.
#pragma once

#include "vm/printer/printer.hpp"

namespace lona::vm {

struct Function;
class Process;

// For people: the type of the error, its place when the reason knows one, what else it says, and
// the functions that were running, innermost first:
//   error: :badmatch %{:value 5}
//     in lona.user/area (shapes.lona:7)
void report_exit(Sink& sink, const Process& process);

// `lona.user/area (shapes.lona:7)`
void write_function(Sink& sink, const Function& function, std::uint32_t line);

// For `batch`: `ERROR :type rest…`, one line without its end.
void report_exit_line(Sink& sink, const Process& process);

}  // namespace lona::vm
