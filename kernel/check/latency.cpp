// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/check/latency.hpp"

namespace lona::kernel {

constinit Latency latency{};

namespace {

struct Stretch {
  Ticks since;
  Word msg_info;
};
constinit Stretch stretches[config::kMaxCores] = {};

}  // namespace

void latency_begin(Core& core) {
  const Tcb* const tcb = core.scheduler.current;
  stretches[core.id] = {arch::now(), tcb != nullptr ? tcb->context.msg_info() : 0};
}

void latency_end(Core& core) {
  const Stretch& stretch = stretches[core.id];
  const Ticks ticks = arch::now() - stretch.since;
  if (ticks > latency.longest) latency = {ticks, stretch.msg_info};
}

}  // namespace lona::kernel
