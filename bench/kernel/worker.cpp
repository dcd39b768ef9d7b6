// SPDX-License-Identifier: BSD-2-Clause
#include "bench/kernel/worker.hpp"

extern "C" {
extern const char __executable_start[], _end[];
[[noreturn]] void park_here() {
  lona::bench::park_worker();
}
}

namespace lona::bench {

namespace {

using test::make;
using test::new_slot;
using test::slot_address;

constexpr Word kPage = 4096, kDirectoryReach = Word{1} << 21;
constexpr unsigned kBuffers = 4;

CPtr second_space = 0;
CPtr done = 0;
CPtr idle = 0;
CPtr buffer_frames[kBuffers];
unsigned next_buffer = 0;

Word image_start() {
  return reinterpret_cast<Word>(__executable_start) & ~(kPage - 1);
}
// Buffers lie in a reach of their own, at the same place in both spaces.
Word buffer_address(unsigned index) {
  const Word behind = (reinterpret_cast<Word>(_end) | (kDirectoryReach - 1)) + 1;
  return behind + 8 * kDirectoryReach + index * kPage;
}

void map_with_tables(CPtr space, CPtr frame, Word address) {
  for (;;) {
    const abi::PageMapResult r = abi::page_map_or_level(frame, space, address, abi::kReadWrite);
    if (r.error == Error::kNone) return;
    if (r.error != Error::kFailedLookup) return test::check(false, "map", __FILE__, __LINE__);
    if (r.lookup_bits == abi::kLookupNoPdpt) {
      CHECK_OK(abi::pdpt_map(make(ObjectType::kPdpt), space, address));
    } else if (r.lookup_bits == abi::kLookupNoPageDirectory) {
      CHECK_OK(abi::page_directory_map(make(ObjectType::kPageDirectory), space, address));
    } else {
      CHECK_OK(abi::page_table_map(make(ObjectType::kPageTable), space, address));
    }
  }
}

CPtr copy_of(CPtr cap) {
  const CPtr copy = new_slot();
  CHECK_OK(abi::cnode_copy(slot_address(copy), slot_address(cap), abi::kAllRights));
  return copy;
}

// The frame of buffer `index`, mapped in both spaces.
CPtr buffer_frame(unsigned index) {
  if (buffer_frames[index] == 0) {
    buffer_frames[index] = make(ObjectType::kPage4K);
    map_with_tables(abi::kSlotInitVSpace, buffer_frames[index], buffer_address(index));
    map_with_tables(other_space(), copy_of(buffer_frames[index]), buffer_address(index));
  }
  return buffer_frames[index];
}

}  // namespace

CPtr other_space() {
  if (second_space != 0) return second_space;
  second_space = make(ObjectType::kPml4);
  CHECK_OK(abi::asid_pool_assign(abi::kSlotInitAsidPool, second_space));
  Word address = image_start();
  for (CPtr frame = test::info->user_image_frames.start; frame < test::info->user_image_frames.end;
       ++frame, address += kPage) {
    map_with_tables(second_space, copy_of(frame), address);
  }
  return second_space;
}

Worker::Worker(test::Thread::Entry entry, const Options& options, Word argument)
    : thread_(entry, argument, options.priority) {
  const unsigned index = next_buffer++ % kBuffers;
  buffer_ = reinterpret_cast<IpcBuffer*>(buffer_address(index));
  CHECK_OK(abi::tcb_set_ipc_buffer(tcb(), buffer_address(index), buffer_frame(index)));
  const CPtr handler =
      options.fault_handler != 0 ? options.fault_handler : thread_.fault_endpoint();
  const CPtr space = options.space == Space::kOther ? other_space() : abi::kSlotInitVSpace;
  CHECK_OK(abi::tcb_set_space(tcb(), handler, abi::kSlotInitCNode, abi::CNodeData{0}, space));
  if (!options.fpu) {
    CHECK(abi::tcb_set_flags(tcb(), 0, abi::kTcbFlagFpuDisabled).error == Error::kNone);
  }
}

void Worker::make_passive() {
  CHECK_OK(abi::sched_context_unbind(sched_context()));
}

CPtr done_notification() {
  if (done == 0) {
    done = make(ObjectType::kNotification);
    idle = make(ObjectType::kNotification);
  }
  return done;
}

void report_done() {
  abi::signal(done);
}

void wait_for_workers() {
  (void)abi::wait(done_notification());
}

void park_worker() {
  for (;;) (void)abi::wait(idle);
}

}  // namespace lona::bench
