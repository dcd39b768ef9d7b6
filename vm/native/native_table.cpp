// SPDX-License-Identifier: BSD-2-Clause
#include "vm/native/native.hpp"

#include "vm/process/process.hpp"
#include "vm/sched/state.hpp"

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

// Found by the compiler: a realm's first millisecond is not for comparing names.
constexpr NativeFunction find(std::string_view name) {
  for (const Native& native : kTable) {
    if (name == native.name) return native.function;
  }
  return nullptr;
}
constexpr NativeFunction kFallbacks[] = {
#define LONA_FALLBACK(name, text) find(text),
    LONA_FALLBACKS(LONA_FALLBACK)
#undef LONA_FALLBACK
        nullptr};
}  // namespace

NativeFunction fallback_native(unsigned index) {
  return kFallbacks[index];
}

const Native* native_table() {
  return kTable;
}
std::uint32_t native_count() {
  return sizeof(kTable) / sizeof(kTable[0]);
}

}  // namespace lona::vm
