// SPDX-License-Identifier: BSD-2-Clause
// Monitors, links and exits between realms. Who has sent a process first a message, then one of
// these, can rely on the order, and on the reason of an end that a message brings about. So the
// VM does what they need at the place in the stream of frames where they come, and tells the
// service, which keeps the books (lib/lona/realm.lona) when its turn comes:
//
//   [:monitor ref pid]      the service watches `pid` from here on
//   [:link theirs own]      the service watches `own` from here on
//   [:exit-from theirs own reason]  an exit signal
//
// The service gets the reference of its monitor behind what it gets of any request, or nil: there
// is no process of that pid for the other realm, so nothing is to be kept. Their names are those of
// functions in the library: a new one would cost each realm its first table of names of its own.
#include "vm/data/foreign.hpp"
#include "vm/data/sequence.hpp"
#include "vm/heap/fragment.hpp"
#include "vm/process/worker.hpp"
#include "vm/realm/realms.hpp"
#include "vm/sched/state.hpp"

namespace lona::vm {

namespace {

bool is_of(Term t, ForeignType type, std::uint32_t realm) {
  return is_foreign(t, type) && foreign_realm(t) == realm;
}

// [what ...] with so many parts in all.
bool is_request(Term value, std::string_view what, std::size_t count) {
  return is_tuple(value) && tuple_count(value) == count && slot(value, 0) == make_keyword(what);
}

// The own process that a request has the service watch, or nil. What is kept under is the other
// realm's own, so it can take back nothing of others.
Term watched_by(Term value, std::uint32_t from) {
  const bool good =
      (is_request(value, "monitor", 3) && is_of(slot(value, 1), ForeignType::kRef, from)) ||
      (is_request(value, "link", 3) && is_of(slot(value, 1), ForeignType::kPid, from));
  return good && slot(value, 2).is_pid() ? slot(value, 2) : Term::nil();
}

}  // namespace

Realms::Sent Realms::signal(Process& p, std::uint32_t realm, Term request, Term& refused, Term note,
                            std::uint64_t watch) {
  Guard guard(lock_, true);
  const Way there = way(realm);
  Process* keeper = service(*p.worker_);
  if (there.peer == nullptr || keeper == nullptr) return Sent::kNoRealm;
  // Other than the service, a process waits for a realm that takes nothing.
  if (there.peer->waiting() > kPendingMax) return Sent::kFull;
  const Sent encoded = encode_along(there, realm, Frame::Kind::kRequest, 0, request, &refused);
  if (encoded != Sent::kOk) return encoded;
  if (!note.is_nil()) {
    Fragment* news = copy_to_fragment(p, p.worker_->allocator, note);
    if (news == nullptr) return Sent::kNoMemory;
    if (watch == 0) {
      deliver(*p.worker_, *keeper, news);
    } else if (add_monitor_with_note(*p.worker_, *keeper, p, watch, news) != Related::kYes) {
      free_fragment(p.worker_->allocator, news);
      return Sent::kNoMemory;
    }
  }
  return put_frame(*there.peer);
}

// False without memory: nothing has been done then.
bool Realms::take_request(Worker& w, Peer& peer, std::uint32_t from, Term value,
                          std::size_t bytes) {
  const bool above = peer.number == platform::kParent;
  if (is_request(value, "exit-from", 4)) {
    const Term own = slot(value, 2);
    Process* target = own.is_pid() ? w.vm.state().table.find(own) : nullptr;
    if (!above || target == nullptr || !is_of(slot(value, 1), ForeignType::kPid, from)) {
      return true;
    }
    return end_own(w, *target, slot(value, 1), slot(value, 3));
  }
  const std::string_view what = above ? "above" : "realm";
  const Term watched = watched_by(value, from);
  if (watched.is_nil()) return tell_service(w, peer, what, from, value, bytes);
  return watch_for(w, peer, what, from, value, bytes, watched);
}

bool Realms::tell_service(Worker& w, Peer& peer, std::string_view what, std::uint32_t from,
                          Term value, std::size_t bytes) {
  Process* keeper = service(w);
  if (keeper == nullptr) return true;
  const Term parts[] = {make_keyword(what), Term::realm(from), value, Term::realm(peer.realm)};
  if (!deliver_term(w, keeper, make_tuple(arena_, parts))) return false;
  owes(peer, bytes);
  return true;
}

bool Realms::watch_for(Worker& w, Peer& peer, std::string_view what, std::uint32_t from, Term value,
                       std::size_t bytes, Term pid) {
  Process* keeper = service(w);
  if (keeper == nullptr) return true;
  const std::uint64_t ref = w.next_ref++;
  const auto note_of = [&](Term mine) {
    const Term parts[] = {make_keyword(what), Term::realm(from), value, Term::realm(peer.realm),
                          mine};
    return fragment_of(w, make_tuple(arena_, parts));
  };
  Related related = Related::kEnded;
  if (Process* target = find_for(peer, pid)) {
    Fragment* note = note_of(make_ref(arena_, ref));
    if (note == nullptr) return false;
    related = add_monitor_with_note(w, *keeper, *target, ref, note);
    if (related != Related::kYes) free_fragment(w.allocator, note);
  }
  if (related == Related::kNoMemory) return false;
  if (related == Related::kEnded) {
    Fragment* note = note_of(Term::nil());
    if (note == nullptr) return false;
    deliver(w, *keeper, note);
  }
  owes(peer, bytes);
  return true;
}

bool Realms::end_own(Worker& w, Process& target, Term from, Term reason) {
  const bool kill = reason == make_keyword("kill");
  const Term parts[] = {make_keyword("EXIT"), from, kill ? make_keyword("killed") : reason};
  Fragment* signal = fragment_of(w, make_tuple(arena_, parts));
  if (signal == nullptr) return false;
  signal->set_kind(kill ? Fragment::Kind::kKill : Fragment::Kind::kExit);
  if (kill) target.doomed_.store(true, std::memory_order_relaxed);
  deliver(w, target, signal);
  return true;
}

// A request for a realm to which no way leads: who has sent it may wait for an answer, or watch.
bool Realms::tell_astray(Worker& w, Peer& peer, const Route& route) {
  Process* keeper = service(w);
  if (keeper == nullptr) return true;
  const Term parts[] = {make_keyword("astray"), Term::realm(route.from), Term::realm(route.to),
                        Term::realm(peer.realm)};
  if (!deliver_term(w, keeper, make_tuple(clean_arena(), parts))) return false;
  owes(peer, sizeof route);
  return true;
}

}  // namespace lona::vm
