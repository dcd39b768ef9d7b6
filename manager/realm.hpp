// SPDX-License-Identifier: BSD-2-Clause
// A realm: address space, capability space, endpoint, time, one worker thread, and the memory it
// was given. Built in one go by `build`; whatever fails is taken back.
#pragma once

#include <array>
#include <string_view>

#include "abi/lona/realm_start.hpp"
#include "manager/fault_text.hpp"
#include "manager/grants.hpp"
#include "manager/own_thread.hpp"
#include "manager/vm_image.hpp"

namespace lona::manager {

// Caps to the frames of a piece of the manager's own image, one cap a page.
struct OwnPages {
  abi::CPtr first = 0;
  std::uint64_t count = 0;
};

struct ConsoleGrant {
  abi::ConsoleKind kind = abi::ConsoleKind::kNone;
  abi::ConsoleDevice device = abi::ConsoleDevice::kUart;
  std::uint16_t port = 0;
  abi::CPtr ports = 0;
  abi::CPtr irq = 0;
};

struct RealmConfig {
  std::string_view name;
  ThreadShare worker;
  std::uint64_t memory_reserve;  // of the machine's free memory, what the realm may not have
  OwnPages archive;
  std::uint64_t archive_size;
  ConsoleGrant console;
  std::uint64_t tsc_hertz;
  bool iommu_labels;
};

enum class RealmState : std::uint8_t { empty, running, stopped };

class Realm {
 public:
  // Badges on the realm's endpoint: a request cannot pass for a fault.
  static constexpr std::uint64_t kRequestBadge = 1;
  static constexpr std::uint64_t kFaultBadge = 2;

  // Nothing, or in words what failed; then everything is taken back.
  [[nodiscard]] base::Expected<void, std::string_view> build(Memory& memory, Window& window,
                                                             abi::CPtr sched_control,
                                                             const VmImage& image,
                                                             const RealmConfig& config);
  [[nodiscard]] bool run();

  // Stops the worker for good and reclaims everything but the endpoint, the reply object and the
  // notification: threads of the manager may hold on to these.
  void stop(Memory& memory);

  [[nodiscard]] abi::Status map_pages(Memory& memory, const PageRange& pages);
  [[nodiscard]] abi::Status unmap_pages(Memory& memory, const PageRange& pages);

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] RealmState state() const { return state_; }
  [[nodiscard]] abi::CPtr endpoint() const { return endpoint_.cap; }
  [[nodiscard]] abi::CPtr reply() const { return reply_.cap; }
  [[nodiscard]] abi::CPtr deadline_signal() const { return deadline_signal_; }
  [[nodiscard]] const RegionTable& regions() const { return regions_; }
  [[nodiscard]] std::uint64_t memory_limit() const { return memory_limit_; }
  [[nodiscard]] std::uint64_t mapped() const { return mapped_; }

 private:
  static constexpr std::size_t kMaxRuns = 64;
  static constexpr std::size_t kMaxCaps = 4096;

  using Step = base::Expected<void, std::string_view>;
  [[nodiscard]] Step make_objects(Memory& memory, abi::CPtr sched_control,
                                  const RealmConfig& config);
  [[nodiscard]] Step map_image(Memory& memory, Window& window, const VmImage& image);
  [[nodiscard]] Step map_shared(Memory& memory, const LoadedSegment& segment);
  [[nodiscard]] Step map_archive(Memory& memory, const RealmConfig& config);
  [[nodiscard]] Step map_worker_area(Memory& memory);
  [[nodiscard]] Step map_console_memory(Memory& memory, const RealmConfig& config);
  [[nodiscard]] Step map_start_block(Memory& memory, Window& window, const RealmConfig& config);
  [[nodiscard]] Step map_own(Memory& memory, Window* window, const LoadedSegment& piece,
                             FrameRun* last = nullptr);
  [[nodiscard]] Step fill_cspace(Memory& memory, const RealmConfig& config);
  [[nodiscard]] Step start_worker(Memory& memory, const VmImage& image, const RealmConfig& config);
  [[nodiscard]] Step give_cap(Memory& memory, abi::RealmSlot slot, abi::CPtr source,
                              abi::CapRights rights, std::uint64_t badge);
  [[nodiscard]] abi::Status map_run(Memory& memory, const FrameRun& run, abi::Address address);

  std::string_view name_;
  RealmState state_ = RealmState::empty;
  AddressSpace space_;
  RegionTable regions_;
  GrantTable grants_;
  KernelObject cspace_;
  KernelObject endpoint_;
  KernelObject notification_;
  KernelObject reply_;
  KernelObject tcb_;
  KernelObject sched_context_;
  abi::CPtr fault_cap_ = 0;
  abi::CPtr deadline_signal_ = 0;
  std::array<FrameRun, kMaxRuns> runs_{};  // frames of its own that it did not ask for
  std::size_t run_count_ = 0;
  std::array<abi::CPtr, kMaxCaps> copies_{};  // caps to frames that it shares
  std::size_t copy_count_ = 0;
  abi::CPtr buffer_frame_ = 0;
  ConsoleGrant console_;
  std::uint64_t console_memory_ = 0;  // physical
  std::uint64_t memory_limit_ = 0;
  std::uint64_t mapped_ = 0;
};

}  // namespace lona::manager
