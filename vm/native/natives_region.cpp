// SPDX-License-Identifier: BSD-2-Clause
// Shared regions.
#include "vm/data/binary.hpp"
#include "vm/data/machine_value.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/platform/platform.hpp"
#include "vm/process/process.hpp"
#include "vm/sched/state.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm::natives {

namespace {

using Error = platform::RealmError;

bool region_value(Term t) {
  return is_machine_value(t, MachineType::kRegion);
}

Term error(Process& p, std::string_view why) {
  return make_pair_tuple(p, make_keyword("error"), make_keyword(why));
}

Term done(Process& p, Error result) {
  return result == Error::kNone ? state_of(p).ok : error(p, describe(result));
}

Term value_of(Process& p, const SharedRegions::Region& region) {
  return make_machine_value(p, MachineType::kRegion, region.number);
}

// Is that a part of the region?
bool within(const SharedRegions::Region& region, Term offset, std::uint64_t size) {
  return offset.is_integer() && offset.as_integer() >= 0 &&
         static_cast<std::uint64_t>(offset.as_integer()) <= region.bytes &&
         size <= region.bytes - static_cast<std::uint64_t>(offset.as_integer());
}

// What was expected.
constexpr const char* kRegion = "a region";
constexpr const char* kNewRegion = "bytes, from 1 to 16777216, and a name, a symbol";

// [:error :badarg %{:fn fn :region region :offset offset :bytes size :expected text}]
Term fail_outside(Process& p, std::string_view fn, Term region, Term offset, std::uint64_t size) {
  Term info = map_put(p, empty_map(p), make_keyword("fn"), make_symbol(fn));
  const auto put = [&](std::string_view key, Term value) {
    info = map_put(p, info, make_keyword(key), value);
  };
  put("region", region);
  put("offset", offset);
  put("bytes", Term::integer(static_cast<std::int64_t>(size)));
  const Term expected = make_string(p, "a part of the region; region-size says how long that is");
  if (expected != Term::absent()) put("expected", expected);
  return p.fail("badarg", info);
}

constexpr std::uint32_t kBytesPerReduction = 64;

}  // namespace

Term is_region(Process&, Args args) {
  return Term::boolean(region_value(args[0]));
}

Term make_shared_region(Process& p, Args args) {
  const Term name = bare(args[1]);
  if (!args[0].is_integer() || args[0].as_integer() <= 0 || !name.is_symbol()) {
    return p.fail_badarg("make-shared-region", args, kNewRegion);
  }
  const SharedRegions::Found made =
      state_of(p).regions.make(static_cast<std::uint64_t>(args[0].as_integer()), name.entry());
  if (made.error == Error::kBadArgument) {
    return p.fail_badarg("make-shared-region", args, kNewRegion);
  }
  return made.error == Error::kNone ? value_of(p, made.region) : p.fail(describe(made.error));
}

Term share_region(Process& p, Args args) {
  const bool writable = args[2] == make_keyword("read-write");
  if (!region_value(args[0]) || !args[1].is_realm() ||
      (!writable && args[2] != make_keyword("read-only"))) {
    return p.fail_badarg("share-region", args, "a region, a realm, and :read-only or :read-write");
  }
  return done(p,
              state_of(p).regions.share(machine_word(args[0]), args[1].realm_number(), writable));
}

Term unshare_region(Process& p, Args args) {
  if (!region_value(args[0]) || !args[1].is_realm())
    return p.fail_badarg("unshare-region", args, "a region and a realm");
  return done(p, state_of(p).regions.unshare(machine_word(args[0]), args[1].realm_number()));
}

Term release_region(Process& p, Args args) {
  if (!region_value(args[0])) return p.fail_badarg("release-region", args, kRegion);
  return done(p, state_of(p).regions.release(machine_word(args[0])));
}

Term get_shared_region(Process& p, Args args) {
  const Term name = bare(args[0]);
  if (!name.is_symbol())
    return p.fail_badarg("get-shared-region", args, "the name of a region, which is a symbol");
  const SharedRegions::Found found = state_of(p).regions.find(name.entry());
  return found.error == Error::kNone ? value_of(p, found.region) : Term::nil();
}

Term region_size(Process& p, Args args) {
  if (!region_value(args[0])) return p.fail_badarg("region-size", args, kRegion);
  const SharedRegions::Found found = state_of(p).regions.look_up(machine_word(args[0]));
  if (found.error != Error::kNone) return p.fail(describe(found.error), args[0]);
  return Term::integer(static_cast<std::int64_t>(found.region.bytes));
}

Term region_name(Process& p, Args args) {
  if (!region_value(args[0])) return p.fail_badarg("region-name", args, kRegion);
  const SharedRegions::Found found = state_of(p).regions.look_up(machine_word(args[0]));
  if (found.error != Error::kNone) return p.fail(describe(found.error), args[0]);
  return Term::symbol(const_cast<SymbolEntry*>(found.region.name));
}

Term region_read(Process& p, Args args) {
  if (!region_value(args[0]) || !args[2].is_integer() || args[2].as_integer() < 0) {
    return p.fail_badarg("region-read", args, "a region, an offset and a number of bytes");
  }
  SharedRegions& regions = state_of(p).regions;
  const SharedRegions::Found found = regions.look_up(machine_word(args[0]));
  if (found.error != Error::kNone) return error(p, describe(found.error));
  const auto size = static_cast<std::uint64_t>(args[2].as_integer());
  if (!within(found.region, args[1], size)) {
    return fail_outside(p, "region-read", args[0], args[1], size);
  }
  const NewBinary binary = allocate_binary(p, size);
  if (binary.term == Term::absent()) return p.fail_oom();
  const auto offset = static_cast<std::uint64_t>(args[1].as_integer());
  const Error result = regions.read(found.region, offset, {binary.bytes, size});
  p.charge(static_cast<std::uint32_t>(size / kBytesPerReduction));
  return result == Error::kNone ? binary.term : error(p, describe(result));
}

Term region_write(Process& p, Args args) {
  if (!region_value(args[0]) || !(is_binary(args[2]) || is_byte_buffer(args[2]))) {
    return p.fail_badarg("region-write!", args, "a region, an offset and a binary");
  }
  SharedRegions& regions = state_of(p).regions;
  const SharedRegions::Found found = regions.look_up(machine_word(args[0]));
  if (found.error != Error::kNone) return error(p, describe(found.error));
  const Bytes bytes = binary_bytes(args[2]);
  if (!within(found.region, args[1], bytes.size())) {
    return fail_outside(p, "region-write!", args[0], args[1], bytes.size());
  }
  if (!found.region.writable) return error(p, "read-only");
  const auto offset = static_cast<std::uint64_t>(args[1].as_integer());
  p.charge(static_cast<std::uint32_t>(bytes.size() / kBytesPerReduction));
  return done(p, regions.write(found.region, offset, bytes));
}

}  // namespace lona::vm::natives
