// SPDX-License-Identifier: BSD-2-Clause
#include "vm/native/native.hpp"

#include "vm/process/process.hpp"

namespace lona::vm {

namespace natives {
#define LONA_NATIVE(name, min, max, function, arglists, doc) Term function(Process&, Args);
#include "vm/native/native_list.hpp"
#undef LONA_NATIVE
}  // namespace natives

namespace {
constexpr Native kTable[] = {
#define LONA_NATIVE(name, min, max, function, arglists, doc) \
  {name, min, max, &natives::function, arglists, doc},
#include "vm/native/native_list.hpp"
#undef LONA_NATIVE
};
}  // namespace

const Native* native_table() {
  return kTable;
}
std::uint32_t native_count() {
  return sizeof(kTable) / sizeof(kTable[0]);
}

}  // namespace lona::vm
