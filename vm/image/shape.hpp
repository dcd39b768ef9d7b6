// SPDX-License-Identifier: BSD-2-Clause
// Have the vectors, maps, sets and ratios of an image the shape that those who walk them count on
// (data/vector_tree.hpp, data/map.hpp)? That keys of maps are where their hashes want them is not
// asked: else they are not found, but nobody is harmed.
//
// A part may belong to many wholes, so what was found out about it is kept: the time is linear.
#pragma once

#include <cstddef>
#include <span>
#include <unordered_map>

#include "vm/term/object.hpp"

namespace lona::vm::image {

class Shapes {
 public:
  // All boxes in these words, which belong at `base`, are known to be whole.
  Shapes(Word base, std::span<const Word> words) : base_(base), words_(words) {}
  bool good(Word address);

 private:
  struct Box {
    const Word* payload = nullptr;  // null: it is of another kind
    std::size_t words = 0;
  };
  Box box(Word bits, Kind kind) const;
  bool vector(const Box& v);
  bool map(const Box& m);
  bool ratio(const Box& r) const;
  // How many elements or entries are in a node and below; 0 when its shape is wrong.
  std::size_t elements(Word node, unsigned shift, bool relaxed);
  std::size_t count_elements(const Box& node, unsigned shift, bool relaxed);
  std::size_t entries(Word node, unsigned level);
  std::size_t count_entries(const Box& node, unsigned level);

  Word base_;
  std::span<const Word> words_;
  std::unordered_map<Word, std::size_t> known_;
};

}  // namespace lona::vm::image
