// SPDX-License-Identifier: BSD-2-Clause
// Realms.
#include "vm/code/function.hpp"
#include "vm/code/namespace.hpp"
#include "vm/data/foreign.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/string.hpp"
#include "vm/native/not_sendable.hpp"
#include "vm/number/number.hpp"
#include "vm/platform/memory_request.hpp"
#include "vm/platform/platform.hpp"
#include "vm/realm/send.hpp"
#include "vm/sched/loads.hpp"
#include "vm/sched/state.hpp"
#include "vm/term/equal.hpp"

namespace lona::vm {

namespace {

using platform::RealmError;

Term error(Process& p, std::string_view why) {
  return make_pair_tuple(p, make_keyword("error"), make_keyword(why));
}

Term number(std::uint64_t n) {
  return Term::integer(static_cast<std::int64_t>(n));
}

// What was expected.
constexpr const char* kBytes = "a number of bytes that is not negative";
constexpr const char* kRealm = "a realm, as realm-create gives";

constexpr double kWholeCpu = 1e6;

// A part of a processor in millionths, `none` for nil or the whole; false when it is no part.
bool read_share(Term t, std::uint64_t none, std::uint64_t& share) {
  share = none;
  if (t.is_nil()) return true;
  if (!is_float(t) || !(float_value(t) > 0.0 && float_value(t) <= 1.0)) return false;
  if (none == 0 || float_value(t) < 1.0) {
    share = static_cast<std::uint64_t>(float_value(t) * kWholeCpu + 0.5);
  }
  return true;
}

bool read_count(Term t, std::uint64_t& count) {
  if (!t.is_integer() || t.as_integer() < 0) return false;
  count = static_cast<std::uint64_t>(t.as_integer());
  return true;
}

}  // namespace

namespace {

// %{:realm realm}
Term about_realm(Process& p, std::uint32_t realm) {
  return map_put(p, empty_map(p), make_keyword("realm"), Term::realm(realm));
}

// [:error :too-large %{:realm realm :most bytes}]
Term fail_too_large(Process& p, std::uint32_t realm) {
  const Term most = number(state_of(p).realms.longest_to(realm));
  return p.fail("too-large", map_put(p, about_realm(p, realm), make_keyword("most"), most));
}

// `refused` is the part of the value that is not sendable.
Term sent_result(Process& p, Realms::Sent sent, std::uint32_t realm, Term value, Term refused) {
  switch (sent) {
    case Realms::Sent::kOk:
    case Realms::Sent::kNoRealm:
      return state_of(p).ok;
    case Realms::Sent::kNotSendable:
      return fail_not_sendable(p, value, refused);
    case Realms::Sent::kTooLong:
      return fail_too_large(p, realm);
    case Realms::Sent::kNoRoom:
      return p.fail("no-memory", about_realm(p, realm));
    case Realms::Sent::kNoMemory:
      return p.fail_oom();
    case Realms::Sent::kTooMany:
      return p.fail("too-many");
    case Realms::Sent::kFull:
      break;
  }
  // The other realm is slow: the sender waits for it.
  constexpr std::uint64_t kPatienceNs = 500'000;
  return p.wait_until(platform::now_ns() + kPatienceNs);
}

// A service must not end because of a value that somebody else has made.
Term tried_result(Process& p, Realms::Sent sent, std::uint32_t realm, Term value, Term refused) {
  switch (sent) {
    case Realms::Sent::kNotSendable:
      return not_sendable(p, value, refused);
    case Realms::Sent::kTooLong:
      return error(p, "too-large");
    case Realms::Sent::kTooMany:
      return error(p, "too-many");
    case Realms::Sent::kNoRoom:
    case Realms::Sent::kNoMemory:
      return error(p, "no-memory");
    default:
      return sent_result(p, sent, realm, value, refused);
  }
}

}  // namespace

Term send_to_realm(Process& p, std::uint32_t realm, Frame::Kind kind, Word target, Term value) {
  Term refused = Term::absent();
  const Realms::Sent sent = state_of(p).realms.send(p, realm, kind, target, value, refused);
  return sent_result(p, sent, realm, value, refused);
}

namespace {

// [what a b (c)]
Term request_of(Process& p, std::string_view what, std::initializer_list<Term> more) {
  Term parts[4] = {make_keyword(what)};
  std::size_t count = 1;
  for (const Term part : more) parts[count++] = part;
  return make_tuple(p, {parts, count});
}

}  // namespace

Term monitor_in_realm(Process& p, Term pid, std::uint64_t ref) {
  const Term reference = make_ref(p, ref);
  Term refused = Term::absent();
  const Realms::Sent sent =
      state_of(p).realms.signal(p, foreign_realm(pid), request_of(p, "monitor", {reference, pid}),
                                refused, request_of(p, "monitor", {reference, p.pid(), pid}));
  if (sent == Realms::Sent::kNoRealm) notify_down(p, p, ref, pid, make_keyword("noproc"));
  const Term result = sent_result(p, sent, foreign_realm(pid), pid, refused);
  return result == state_of(p).ok ? reference : result;
}

Term link_to_realm(Process& p, Term pid) {
  const std::uint64_t watch = fresh_reference(p);
  Term refused = Term::absent();
  const Realms::Sent sent = state_of(p).realms.signal(
      p, foreign_realm(pid), request_of(p, "link", {p.pid(), pid}), refused,
      request_of(p, "link", {p.pid(), pid, make_ref(p, watch)}), watch);
  if (sent == Realms::Sent::kNoRealm) {
    signal_exit(p, p, pid, make_keyword("noproc"), ExitSignal::kLink);
  }
  return sent_result(p, sent, foreign_realm(pid), pid, refused);
}

Term unlink_in_realm(Process& p, Term pid) {
  const Term what = request_of(p, "unlink", {p.pid(), pid});
  Term refused = Term::absent();
  const Realms::Sent sent = state_of(p).realms.signal(p, foreign_realm(pid), what, refused, what);
  return sent_result(p, sent, foreign_realm(pid), pid, refused);
}

Term exit_in_realm(Process& p, Term pid, Term reason) {
  const Term request = request_of(p, "exit-from", {p.pid(), pid, reason});
  Term refused = Term::absent();
  const Realms::Sent sent = state_of(p).realms.signal(p, foreign_realm(pid), request, refused);
  return sent_result(p, sent, foreign_realm(pid), reason, refused);
}

namespace natives {

Term realm_create(Process& p, Args args) {
  const Term name = bare(args[0]);
  platform::RealmPolicy policy{};
  if (!name.is_symbol() || !read_count(args[1], policy.memory_min) ||
      !read_count(args[2], policy.memory_max) || !read_share(args[3], 0, policy.cpu_min) ||
      !read_share(args[4], platform::kNoShare, policy.cpu_max) ||
      !read_count(args[5], policy.faults)) {
    return p.fail_badarg("realm-create", args);
  }
  const platform::NewRealm made = platform::create_realm(name.entry()->full(), policy);
  if (made.error != RealmError::kNone) return error(p, describe(made.error));
  if (!state_of(p).realms.add_child(made.realm, made.number)) {
    (void)platform::command_realm(platform::RealmCommand::kTerminate, made.realm);
    return error(p, "no-memory");
  }
  return Term::realm(made.realm);
}

Term realm_command(Process& p, Args args) {
  if (!args[0].is_realm() || !args[1].is_keyword()) return p.fail_badarg("command*", args);
  platform::RealmCommand command;
  if (args[1] == make_keyword("run")) {
    command = platform::RealmCommand::kRun;
  } else if (args[1] == make_keyword("suspend")) {
    command = platform::RealmCommand::kSuspend;
  } else if (args[1] == make_keyword("terminate")) {
    command = platform::RealmCommand::kTerminate;
    // If it has ended by itself the manager knows why until it is taken down.
    state_of(p).realms.tell_ends(*p.worker_);
    // The channel's memory goes with the realm.
    state_of(p).realms.drop(args[0].realm_number());
  } else {
    return p.fail_badarg("command*", args);
  }
  const RealmError done = platform::command_realm(command, args[0].realm_number());
  // What the realm and those below it had sent has ended.
  if (command == platform::RealmCommand::kTerminate) state_of(p).realms.capabilities().sweep();
  return done == RealmError::kNone ? state_of(p).ok : error(p, describe(done));
}

Term request_memory(Process& p, Args args) {
  if (!args[0].is_integer() || args[0].as_integer() < 0)
    return p.fail_badarg("request-memory", args, kBytes);
  const bool good = platform::request_memory(static_cast<std::size_t>(args[0].as_integer()));
  return good ? state_of(p).ok : error(p, "no-memory");
}

// Pages go back as pieces that nothing lies in any more, so a number would promise too much.
Term return_memory(Process& p, Args args) {
  if (!args[0].is_integer() || args[0].as_integer() < 0)
    return p.fail_badarg("return-memory", args, kBytes);
  p.worker_->allocator.trim();
  platform::return_memory();
  return state_of(p).ok;
}

Term realm_figures(Process& p, Args args) {
  constexpr std::string_view kStates[] = {"dormant", "running", "suspended", "terminated"};
  if (!args[0].is_realm()) return p.fail_badarg("realm-info", args, kRealm);
  platform::RealmFigures figures;
  const RealmError done = platform::realm_figures(args[0].realm_number(), figures);
  if (done != RealmError::kNone) return error(p, describe(done));
  Term map = empty_map(p);
  const auto put = [&](std::string_view key, Term value) {
    map = map_put(p, map, make_keyword(key), value);
  };
  const SymbolEntry* name = try_intern({figures.name, figures.name_length});
  put("name", name == nullptr ? Term::nil() : Term::symbol(const_cast<SymbolEntry*>(name)));
  put("status", make_keyword(kStates[static_cast<unsigned>(figures.status) & 3]));
  put("parent", figures.parent == platform::kNoRealm ? Term::nil() : Term::realm(figures.parent));
  put("memory-limit", number(figures.memory_limit));
  put("memory-reserve", number(figures.memory_reserve));
  put("memory-used", number(figures.memory_used));
  put("cpu-min", make_float(p, static_cast<double>(figures.reserve) / kWholeCpu));
  put("cpu-max", figures.share == platform::kNoShare
                     ? make_float(p, 1.0)
                     : make_float(p, static_cast<double>(figures.share) / kWholeCpu));
  put("cpu-us", number(figures.time_us));
  put("faults", number(figures.faults));
  put("memory-granted", number(figures.memory_granted));
  put("memory-free", number(figures.memory_free));
  return map;
}

Term child_realms(Process& p, Args args) {
  constexpr std::size_t kPiece = 64;
  if (args.size() == 1 && !args[0].is_realm()) return p.fail_badarg("child-realms", args, kRealm);
  const std::uint32_t of = args.size() == 1 ? args[0].realm_number() : state_of(p).realms.own();
  Term set = make_set(p, empty_map(p));
  std::uint32_t realms[kPiece];
  std::size_t count = kPiece;
  for (std::size_t skip = 0; count == kPiece; skip += count) {
    count = platform::child_realms(of, skip, realms);
    for (std::size_t at = 0; at < count; ++at) set = set_add(p, set, Term::realm(realms[at]));
  }
  return set;
}

Term parent_realm(Process& p, Args) {
  const std::uint32_t parent = state_of(p).realms.parent();
  return parent == platform::kNoRealm ? Term::nil() : Term::realm(parent);
}

Term realm_request(Process& p, Args args) {
  if (!args[0].is_realm()) return p.fail_badarg("request", args);
  Term refused = Term::absent();
  const Realms::Sent sent = state_of(p).realms.send(p, args[0].realm_number(),
                                                    Frame::Kind::kRequest, 0, args[1], refused);
  return tried_result(p, sent, args[0].realm_number(), args[1], refused);
}

Term try_send(Process& p, Args args) {
  if (!is_foreign(args[0], ForeignType::kPid)) return p.fail_badarg("send*", args);
  const std::uint32_t realm = foreign_realm(args[0]);
  Term refused = Term::absent();
  const Realms::Sent sent = state_of(p).realms.send(p, realm, Frame::Kind::kMessage,
                                                    foreign_word(args[0]), args[1], refused);
  return tried_result(p, sent, realm, args[1], refused);
}

Term realm_connect(Process& p, Args args) {
  if (!args[0].is_realm() || !args[1].is_realm()) return p.fail_badarg("connect*", args);
  const platform::PeerNumbers numbers =
      platform::connect_realms(args[0].realm_number(), args[1].realm_number());
  if (numbers.error != RealmError::kNone) return error(p, describe(numbers.error));
  return make_pair_tuple(p, number(numbers.first), number(numbers.second));
}

Term realm_disconnect(Process& p, Args args) {
  if (!args[0].is_realm() || !args[1].is_realm()) return p.fail_badarg("disconnect*", args);
  const RealmError done =
      platform::disconnect_realms(args[0].realm_number(), args[1].realm_number());
  return done == RealmError::kNone ? state_of(p).ok : error(p, describe(done));
}

Term add_sibling(Process& p, Args args) {
  if (!args[0].is_realm() || !args[1].is_integer() || !args[2].is_boolean()) {
    return p.fail_badarg("add-sibling", args);
  }
  const auto channel = static_cast<std::uint64_t>(args[1].as_integer());
  if (channel > ~std::uint32_t{0} ||
      !platform::is_peer_number(static_cast<std::uint32_t>(channel))) {
    return error(p, "bad-argument");
  }
  const bool added = state_of(p).realms.add_sibling(
      args[0].realm_number(), static_cast<std::uint32_t>(channel), args[2] == Term::true_());
  return added ? state_of(p).ok : error(p, "no-memory");
}

Term drop_sibling(Process& p, Args args) {
  if (!args[0].is_realm()) return p.fail_badarg("drop-sibling", args);
  state_of(p).realms.drop(args[0].realm_number());
  state_of(p).realms.capabilities().sweep();
  return state_of(p).ok;
}

Term realm_toward(Process& p, Args args) {
  if (!args[0].is_realm()) return p.fail_badarg("toward*", args);
  const std::uint32_t next = state_of(p).realms.toward(args[0].realm_number());
  return next == platform::kNoRealm ? Term::nil() : Term::realm(next);
}

Term realm_takes(Process& p, Args args) {
  if (!args[0].is_realm()) return p.fail_badarg("takes?", args);
  return Term::boolean(state_of(p).realms.takes(args[0].realm_number()));
}

Term realm_served(Process& p, Args args) {
  if (!args[0].is_realm()) return p.fail_badarg("served", args);
  state_of(p).realms.served(args[0].realm_number());
  return state_of(p).ok;
}

Term lost_messages(Process& p, Args) {
  return number(state_of(p).realms.lost());
}

Term list_inherited(Process& p, Args) {
  state_of(p).inherited_lists.fetch_add(1, std::memory_order_relaxed);
  return state_of(p).ok;
}

// A child has sent this: a wrong address holds nothing, or what the child then keeps in vain.
Term retired_held(Process& p, Args args) {
  CodeStore& code = state_of(p).code;
  Term list = args[0];
  for (; list.is_pair(); list = list.rest()) {
    if (list.first().is_integer()) code.hold(static_cast<Word>(list.first().as_integer()));
  }
  if (!list.is_empty_list()) code.hold_all();
  return state_of(p).ok;
}

Term retired_answered(Process& p, Args) {
  state_of(p).code.all_answered();
  return state_of(p).ok;
}

Term exit_from(Process& p, Args args) {
  if (!is_any_pid(args[0]) || !args[1].is_pid()) return p.fail_badarg("exit-from", args);
  if (Process* other = state_of(p).table.find(args[1])) {
    signal_exit(p, *other, args[0], args[2], ExitSignal::kLink);
  }
  return state_of(p).ok;
}

// Only when the var of that name holds this very function.
Term function_name(Process& p, Args args) {
  const Term f = bare(args[0]);
  if (is_var(f)) {
    char text[kMaxNameBytes > 512 ? 512 : kMaxNameBytes];
    const Var* var = as_var(f);
    const std::string_view ns = var->ns->name->full(), name = var->name->full();
    if (ns.size() + name.size() + 1 > sizeof text) return Term::nil();
    std::memcpy(text, ns.data(), ns.size());
    text[ns.size()] = '/';
    std::memcpy(text + ns.size() + 1, name.data(), name.size());
    SymbolEntry* entry = try_intern({text, ns.size() + 1 + name.size()});
    return entry == nullptr ? Term::nil() : Term::symbol(entry);
  }
  if (f.is_native()) return make_symbol(native_table()[f.native_index()].name);
  if (!is_closure(f)) return p.fail_badarg("function-name", args);
  const Function* function = function_of(f);
  if (function->ns == nullptr || function->name == nullptr) return Term::nil();
  Namespace* ns = state_of(p).namespaces.find(function->ns);
  Var* var =
      ns == nullptr ? nullptr : state_of(p).namespaces.find_var(ns, function->name, view_of(p));
  if (var == nullptr || !equal(var->value_in(view_of(p)), f)) return Term::nil();
  Term list[] = {var->term()};
  const Word word = list[0].bits();
  return function_name(p, Args(&word, 1));
}

}  // namespace natives

}  // namespace lona::vm
