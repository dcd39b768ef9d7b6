// SPDX-License-Identifier: BSD-2-Clause
#include "vm/native/not_sendable.hpp"

#include <utility>

#include "vm/code/function.hpp"
#include "vm/data/map.hpp"
#include "vm/data/sequence.hpp"
#include "vm/data/vector.hpp"
#include "vm/data/work_stack.hpp"
#include "vm/printer/printer.hpp"
#include "vm/term/equal.hpp"
#include "vm/term/symbol.hpp"

namespace lona::vm {

namespace {

// Finds where a part lies, in the order in which messages are walked: first parts first.
class PathTo {
 public:
  PathTo(Term part) : part_(part) {}

  // The steps, or `absent`: the part was not found, or there is no memory to look for it.
  Term in(Process& p, Term value) {
    bool good = push(value, Term::absent());
    while (good && !nodes_.empty()) {
      Node& node = nodes_.top();
      if (node.open) {
        nodes_.pop();
        continue;
      }
      node.open = true;
      if (node.value == part_) return steps(p);
      good = push_parts(node.value);
    }
    return Term::absent();
  }

 private:
  // Of a larger value the part alone is told.
  static constexpr std::size_t kMostNodes = std::size_t{1} << 17;

  struct Node {
    Term value;
    Term step;  // that leads here; absent: none does
    bool open;  // it was looked at, and what lies above it is in it
  };

  bool push(Term value, Term step) {
    return ++count_ <= kMostNodes && nodes_.push({bare(value), step, false});
  }

  bool push_parts(Term whole) {
    const std::size_t first = nodes_.size();
    if (!push_each(whole)) return false;
    if (nodes_.size() == first) return true;
    for (std::size_t low = first, high = nodes_.size() - 1; low < high; ++low, --high) {
      std::swap(nodes_[low], nodes_[high]);
    }
    return true;
  }

  bool push_each(Term whole) {
    std::int64_t index = 0;
    if (whole.is_pair()) {
      for (; whole.is_pair(); whole = whole.rest()) {
        if (!push(whole.first(), Term::integer(index++))) return false;
      }
      return push(whole, Term::absent());
    }
    if (!whole.is_boxed()) return true;
    switch (header_of(whole).kind()) {
      case Kind::kTuple:
        return push_slots(whole, 0, true);
      case Kind::kClosure:
        return push_slots(whole, 1, false);
      case Kind::kVector:
        for (std::size_t at = 0; at < vector_count(whole); ++at) {
          if (!push(vector_get(whole, at), Term::integer(index++))) return false;
        }
        return true;
      case Kind::kMap:
        return push_entries(whole, true);
      case Kind::kSet:
        return push_entries(set_map(whole), false);
      default:
        return true;
    }
  }

  bool push_slots(Term whole, std::size_t first, bool steps) {
    for (std::size_t at = first; at < header_of(whole).words(); ++at) {
      const Term step = steps ? Term::integer(static_cast<std::int64_t>(at)) : Term::absent();
      if (!push(slot(whole, at), step)) return false;
    }
    return true;
  }

  bool push_entries(Term map, bool values) {
    for (MapCursor at(map); !at.done(); at.next()) {
      if (!push(at.key(), Term::absent()) || (values && !push(at.value(), at.key()))) return false;
    }
    return true;
  }

  // Those that lead to the part are open. The whole value has no step.
  Term steps(Process& p) {
    WorkStack<Term, 32> steps;
    bool more = true;
    for (std::size_t at = 1; at < nodes_.size() && more; ++at) {
      if (!nodes_[at].open) continue;
      more = nodes_[at].step != Term::absent();
      if (more && !steps.push(nodes_[at].step)) return Term::absent();
    }
    return make_tuple(p, {steps.data(), steps.size()});
  }

  Term part_;
  std::size_t count_ = 0;
  WorkStack<Node, 32> nodes_;
};

Term about(Process& p, Term value, Term part) {
  const Term text = print_to_string(p, part);
  const Term info =
      map_put(p, empty_map(p), make_keyword("part"), text == Term::absent() ? Term::nil() : text);
  const Term path = PathTo(part).in(p, value);
  return path == Term::absent() ? info : map_put(p, info, make_keyword("path"), path);
}

}  // namespace

Term not_sendable(Process& p, Term value, Term part) {
  const Term parts[] = {make_keyword("error"), make_keyword("not-sendable"), about(p, value, part)};
  return make_tuple(p, parts);
}

Term sendable_reason(Process& p, Term reason) {
  const Term buffer = byte_buffer_in(p, reason);
  if (buffer == Term::absent()) return reason;
  const Term text = print_to_string(p, reason);
  const Term parts[] = {make_keyword("error"), make_keyword("not-sendable"),
                        map_put(p, about(p, reason, buffer), make_keyword("reason"),
                                text == Term::absent() ? Term::nil() : text)};
  return make_tuple(p, parts);
}

Term fail_not_sendable(Process& p, Term value, Term part) {
  return p.exit_with(not_sendable(p, value, part));
}

}  // namespace lona::vm
