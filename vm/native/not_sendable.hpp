// SPDX-License-Identifier: BSD-2-Clause
// What is said of a value that cannot leave its process or its realm: which part of it, and where.
#pragma once

#include "vm/heap/copy.hpp"
#include "vm/process/process.hpp"

namespace lona::vm {

// [:error :not-sendable %{:part text :path [index-or-key …]}]. The part is told as it prints, so
// that whoever hears of it can tell others. The path leads to it through tuples, vectors, lists and
// maps' values, and ends at a whole of any other kind that holds it: a closure, a set, the map
// whose key it is. Without a path it was too far in to look for.
Term not_sendable(Process& p, Term value, Term part);
// Ends the process with that.
Term fail_not_sendable(Process& p, Term value, Term part);

// The reason of a process's end as others may have it: itself, or the error above, in which :reason
// is how it prints.
Term sendable_reason(Process& p, Term reason);

// May the value go to another process of this realm? If not, the process has failed.
[[nodiscard]] inline bool may_leave(Process& p, Term value) {
  const Term buffer = byte_buffer_in(p, value);
  if (buffer == Term::absent()) [[likely]]
    return true;
  fail_not_sendable(p, value, buffer);
  return false;
}

}  // namespace lona::vm
