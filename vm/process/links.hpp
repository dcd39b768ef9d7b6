// SPDX-License-Identifier: BSD-2-Clause
// Links and monitors: each is one object in two intrusive rings, so either side can drop it in
// constant time.
#pragma once

#include "vm/process/process.hpp"

namespace lona::vm {

struct Link {
  Process* ends[2];
  Link* next[2];
  Link* previous[2];
  unsigned side_of(const Process* p) const { return ends[0] == p ? 0 : 1; }
};

struct Monitor {
  Process* watcher;
  Process* watched;
  std::uint64_t ref;
  Monitor *watcher_next, *watcher_previous;
  Monitor *watched_next, *watched_previous;
};

}  // namespace lona::vm
