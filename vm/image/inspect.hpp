// SPDX-License-Identifier: BSD-2-Clause
// Is this an image that no program can be harmed by? `check` finds damage; here the image may come
// from anybody: everything that can be reached is looked at.
//
// - Every pointer leads to an object of the kind that is expected there, inside of the image; no
//   two objects overlap.
// - Names have the numbers of their texts and are in the index; values are of a shape that the
//   functions for them can walk.
// - Code passes the verifier.
//
// The image need not be mapped at its place: addresses are translated. It takes 14 million
// instructions for the library's image, so it is done when one is written, and on demand.
#pragma once

#include <span>

#include "vm/term/term.hpp"

namespace lona::vm::image {

// Null, or what is wrong with it. `check` has accepted the image.
const char* inspect(std::span<const Word> constants, std::span<const Word> data);

}  // namespace lona::vm::image
