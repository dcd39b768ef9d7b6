// SPDX-License-Identifier: BSD-2-Clause
// Why an invocation or a capability lookup failed, in the words of the ABI.
#pragma once

#include "abi/sel4/types.hpp"
#include "base/expected.hpp"

namespace lona::kernel {

using abi::Word;

struct LookupFault {
  abi::LookupFailure kind = abi::LookupFailure::kNone;
  unsigned bits_left = 0;   // missing capability, depth mismatch, guard mismatch
  unsigned bits_found = 0;  // depth mismatch: bits the CNode resolves; guard mismatch: guard size
  Word guard_found = 0;     // guard mismatch

  static constexpr LookupFault invalid_root() {
    return {abi::LookupFailure::kInvalidRoot, 0, 0, 0};
  }
  static constexpr LookupFault missing(unsigned bits_left) {
    return {abi::LookupFailure::kMissingCapability, bits_left, 0, 0};
  }
  static constexpr LookupFault depth(unsigned bits_left, unsigned bits_found) {
    return {abi::LookupFailure::kDepthMismatch, bits_left, bits_found, 0};
  }
  static constexpr LookupFault guard(unsigned bits_left, Word guard, unsigned guard_size) {
    return {abi::LookupFailure::kGuardMismatch, bits_left, guard_size, guard};
  }

  // Writes the description (manual, "Lookup Failure Description"); returns its length.
  constexpr unsigned describe(Word* out) const {
    out[0] = static_cast<Word>(kind);
    switch (kind) {
      case abi::LookupFailure::kMissingCapability:
        out[1] = bits_left;
        return 2;
      case abi::LookupFailure::kDepthMismatch:
        out[1] = bits_left;
        out[2] = bits_found;
        return 3;
      case abi::LookupFailure::kGuardMismatch:
        out[1] = bits_left;
        out[2] = guard_found;
        out[3] = bits_found;
        return 4;
      default:
        return 1;
    }
  }
};

// The reply to a failed invocation: its label and message words.
struct Failure {
  abi::Error error = abi::Error::kNone;
  unsigned length = 0;
  Word words[5] = {};

  // Arguments and caps are numbered from 0; the invoked cap itself is cap 0, extra caps follow.
  static constexpr Failure invalid_argument(Word number) {
    return {abi::Error::kInvalidArgument, 1, {number}};
  }
  static constexpr Failure invalid_capability(Word number) {
    return {abi::Error::kInvalidCapability, 1, {number}};
  }
  static constexpr Failure illegal_operation() { return {abi::Error::kIllegalOperation, 0, {}}; }
  static constexpr Failure range(Word min, Word max) {
    return {abi::Error::kRangeError, 2, {min, max}};
  }
  static constexpr Failure alignment() { return {abi::Error::kAlignmentError, 0, {}}; }
  static constexpr Failure truncated() { return {abi::Error::kTruncatedMessage, 0, {}}; }
  static constexpr Failure delete_first() { return {abi::Error::kDeleteFirst, 0, {}}; }
  static constexpr Failure revoke_first() { return {abi::Error::kRevokeFirst, 0, {}}; }
  static constexpr Failure not_enough_memory(Word bytes) {
    return {abi::Error::kNotEnoughMemory, 1, {bytes}};
  }
  static constexpr Failure failed_lookup(bool source, const LookupFault& fault) {
    Failure failure{abi::Error::kFailedLookup, 0, {Word{source}}};
    failure.length = 1 + fault.describe(failure.words + 1);
    return failure;
  }
};

template <typename T>
using Result = base::Expected<T, Failure>;
using base::fail;

}  // namespace lona::kernel
