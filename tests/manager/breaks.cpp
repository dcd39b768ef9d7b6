// SPDX-License-Identifier: BSD-2-Clause
// Bugs for the manager of one test image: the linker puts these functions before its own ones. What
// a realm is called says where its service thread faults, from its first line in the log on.
#include "manager/realms.hpp"

namespace lona::manager {

namespace {

enum class Break : unsigned char { none, making, locked };
volatile Break next_break = Break::none;

[[gnu::noinline]] void write_to_nowhere() {
  // Laundered, or the compiler takes what it must be for never reached.
  volatile int* nowhere = nullptr;
  asm volatile("" : "+r"(nowhere));
  *nowhere = 0;
}

}  // namespace

bool own_admit_line(Realms* realms, const Realm& realm) asm(
    "__real__ZN4lona7manager6Realms10admit_lineERKNS0_5RealmE");
bool admit_line(Realms* realms,
                const Realm& realm) asm("__wrap__ZN4lona7manager6Realms10admit_lineERKNS0_5RealmE");
bool admit_line(Realms* realms, const Realm& realm) {
  if (realm.name() == "breaks") {
    write_to_nowhere();
  }
  next_break = realm.name() == "breaks-making"   ? Break::making
               : realm.name() == "breaks-locked" ? Break::locked
                                                 : Break::none;
  return own_admit_line(realms, realm);
}

// While a child is made: it is in the tree, but no realm yet.
base::Expected<void, MemoryError> own_start_grant(
    Memory* memory, Memory& parent,
    unsigned bits) asm("__real__ZN4lona7manager6Memory11start_grantERS1_j");
base::Expected<void, MemoryError> start_grant(Memory* memory, Memory& parent, unsigned bits) asm(
    "__wrap__ZN4lona7manager6Memory11start_grantERS1_j");
base::Expected<void, MemoryError> start_grant(Memory* memory, Memory& parent, unsigned bits) {
  if (next_break == Break::making) {
    next_break = Break::none;
    write_to_nowhere();
  }
  return own_start_grant(memory, parent, bits);
}

// Under the lock of the realms.
bool own_within(const RealmTree* tree, std::uint32_t above,
                std::uint32_t realm) asm("__real__ZNK4lona7manager9RealmTree6withinEjj");
bool within(const RealmTree* tree, std::uint32_t above,
            std::uint32_t realm) asm("__wrap__ZNK4lona7manager9RealmTree6withinEjj");
bool within(const RealmTree* tree, std::uint32_t above, std::uint32_t realm) {
  if (next_break == Break::locked) {
    abort();
  }
  return own_within(tree, above, realm);
}

}  // namespace lona::manager
