// SPDX-License-Identifier: BSD-2-Clause
// The thread that serves one realm: its requests and its faults. It has a budget of its own, so
// that a realm that floods its endpoint spends that and delays nobody else.
#pragma once

#include "manager/realms.hpp"

namespace lona::manager {

struct Service {
  Shared& shared;
  Realm& realm;
  std::size_t index;  // of the realm, in the timer

  [[noreturn]] static void run(void* service);
  // After a fault of its own: the realm has ended, and only its end is still waited for.
  [[noreturn]] static void stay(void* service);
};

}  // namespace lona::manager
