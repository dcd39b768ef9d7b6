// SPDX-License-Identifier: BSD-2-Clause
#include "manager/service.hpp"

#include <cstring>

#include "abi/sel4/fault.hpp"
#include "manager/last_words.hpp"
#include "manager/received.hpp"

namespace lona::manager {

namespace {

// Words of an answer. The IPC buffer is used by the work on the request, so they go there last.
struct Reply {
  abi::Status status = abi::Status::kOk;
  unsigned length = 0;
  std::uint64_t words[abi::kMsgMaxLength];

  void put(std::uint64_t word) { words[length++] = word; }
  // Its length, then the bytes packed into words.
  void put(std::string_view text) {
    put(text.size());
    words[length + text.size() / 8] = 0;
    std::memcpy(words + length, text.data(), text.size());
    length += static_cast<unsigned>((text.size() + 7) / 8);
  }
  [[nodiscard]] abi::MessageWords in_registers() const {
    for (unsigned at = abi::kMsgRegisters; at < length; ++at) {
      abi::ipc_buffer().msg[at] = words[at];
    }
    return {words[0], words[1], words[2], words[3]};
  }
};

class Server {
 public:
  explicit Server(Service& service)
      : shared_(service.shared), realm_(service.realm), index_(service.index) {}

  [[noreturn]] void loop() {
    abi::Message message = abi::recv(realm_.endpoint(), realm_.reply());
    while (true) {
      const bool answers = serve(message);
      const abi::MessageInfo info(static_cast<std::uint64_t>(reply_.status), 0, 0, reply_.length);
      if (stopped_) {
        abi::send(realm_.reply(), info);
        shared_.realms.rest(realm_);
      }
      if (last_words_.awaited()) {
        if (answers) {
          abi::send(realm_.reply(), info, reply_.in_registers());
        }
        message = next_of_last_words();
      } else {
        message = answers ? abi::reply_recv(realm_.endpoint(), info, reply_.in_registers(),
                                            realm_.reply())
                          : abi::recv(realm_.endpoint(), realm_.reply());
      }
    }
  }

  // One function for each kind of request; false when it is not to be answered.
  bool handle(const MapPages& request) { return answer(realm_.map_pages(request.pages)); }
  bool handle(const UnmapPages& request) {
    const abi::Status status = realm_.unmap_pages(request.pages);
    shared_.realms.shrink(realm_);
    return answer(status);
  }
  bool handle(const Figures&) {
    reply_.put(realm_.memory_limit());
    reply_.put(realm_.mapped());
    reply_.put(realm_.memory().free_bytes());
    return answer(abi::Status::kOk);
  }
  bool handle(const SetDeadline& request) {
    shared_.timer.set_deadline(index_, request.tick);
    return answer(abi::Status::kOk);
  }
  bool handle(const LogText& request) {
    if (!shared_.realms.admit_line(realm_)) {
      return answer(abi::Status::kOverLimit);
    }
    char text[abi::kLogMax];
    std::memcpy(text, words_ + 1, request.length);
    sanitize({text, request.length});
    shared_.log.line(realm_.name(), {text, request.length});
    return answer(abi::Status::kOk);
  }
  bool handle(const ExitRealm& request) {
    char bytes[abi::kEndTextMax];
    std::memcpy(bytes, words_ + 2, request.length);
    sanitize({bytes, request.length});
    const std::string_view text(bytes, request.length);
    if (last_words_.awaited()) {
      return end_of_last_words(text);
    }
    stop(request.status, text);
    if (realm_.number() == RealmTree::kRoot || request.status != 0) {
      shared_.log("realm ", realm_.name(), " ended with status ", request.status,
                  text.empty() ? "" : ": ", text);
    }
    return false;
  }
  // The memory it lacks comes as for any request that there is too little for.
  bool handle(const RequestMemory& request) {
    if (request.bytes > realm_.memory_limit() - realm_.mapped()) {
      return answer(abi::Status::kOverLimit);
    }
    if (request.bytes > realm_.memory().free_bytes()) {
      return answer(abi::Status::kOutOfMemory);
    }
    realm_.ask_ahead(request.bytes);
    shared_.realms.shrink(realm_);
    return answer(abi::Status::kOk);
  }
  bool handle(const CreateRealm& request) {
    const auto made = shared_.realms.create(realm_, request);
    if (!made) {
      return answer(made.error());
    }
    reply_.put(made->realm);
    reply_.put(made->number);
    return answer(abi::Status::kOk);
  }
  bool handle(const RunRealm& request) { return answer(shared_.realms.run(realm_, request.realm)); }
  bool handle(const SuspendRealm& request) {
    return answer(shared_.realms.suspend(realm_, request.realm));
  }
  bool handle(const TerminateRealm& request) {
    return answer(shared_.realms.terminate(realm_, request.realm));
  }
  bool handle(const RealmInfo& request) {
    const auto info = shared_.realms.info(realm_, request.realm);
    if (!info) {
      return answer(info.error());
    }
    for (const std::uint64_t word :
         {std::uint64_t{info->parent}, static_cast<std::uint64_t>(info->state), info->memory_limit,
          info->memory_reserve, info->memory_used, info->share, info->reserve, info->time_us,
          info->children, info->faults, info->memory_granted, info->memory_free}) {
      reply_.put(word);
    }
    reply_.put(std::string_view(info->name, info->name_length));
    return answer(abi::Status::kOk);
  }
  bool handle(const ChildRealms& request) {
    std::uint64_t numbers[abi::kChildListMax];
    const auto count = shared_.realms.children(realm_, request.realm, request.skip, numbers);
    if (!count) {
      return answer(count.error());
    }
    reply_.put(*count);
    for (std::size_t at = 0; at < *count; ++at) {
      reply_.put(numbers[at]);
    }
    return answer(abi::Status::kOk);
  }
  bool handle(const NextEnded&) {
    EndOfRealm end;
    reply_.put(shared_.realms.next_ended(realm_, end));
    reply_.put(end.status);
    reply_.put(std::string_view(end.text, end.text_length));
    return answer(abi::Status::kOk);
  }
  bool handle(const MakeObject& request) {
    return answer(shared_.capabilities.make_object(realm_, shared_.parts.asids, request));
  }
  bool handle(const FreeObject& request) {
    return answer(shared_.capabilities.free_object(realm_, request.slot));
  }
  bool handle(const OfferCapability& request) {
    const auto number = shared_.capabilities.offer(realm_, request);
    if (!number) {
      return answer(number.error());
    }
    reply_.put(*number);
    return answer(abi::Status::kOk);
  }
  bool handle(const TakeCapability& request) {
    const auto type = shared_.capabilities.take(realm_, request);
    if (!type) {
      return answer(type.error());
    }
    reply_.put(static_cast<std::uint64_t>(*type));
    return answer(abi::Status::kOk);
  }
  bool handle(const LostCapabilities&) {
    std::uint64_t slots[abi::kLostListMax];
    const std::size_t count = shared_.capabilities.take_lost(realm_, slots);
    reply_.put(count);
    for (std::size_t at = 0; at < count; ++at) {
      reply_.put(slots[at]);
    }
    return answer(abi::Status::kOk);
  }
  bool handle(const MakeIrqHandler& request) {
    return answer(is_first() ? realm_.make_irq_handler(request) : abi::Status::kNotAllowed);
  }
  bool handle(const GiveSchedControl& request) {
    return answer(is_first() ? realm_.give_sched_control(shared_.parts, request)
                             : abi::Status::kNotAllowed);
  }
  bool handle(const GivePorts& request) {
    return answer(is_first() ? realm_.give_ports(request) : abi::Status::kNotAllowed);
  }
  bool handle(const MakeHelper& request) {
    const abi::Status status = realm_.make_helper(shared_.parts, request.number);
    if (status == abi::Status::kOk) {
      shared_.realms.count_helpers(realm_);
    }
    return answer(status);
  }
  bool handle(const RestartHelper& request) {
    const abi::Status status = realm_.restart_helper(shared_.parts, request.number);
    if (status == abi::Status::kOk) {
      shared_.realms.resume_helper(realm_, request.number);
    }
    return answer(status);
  }
  bool handle(const ConnectRealms& request) {
    const auto made = shared_.peers.connect(realm_, request.first, request.second);
    if (!made) {
      return answer(made.error());
    }
    reply_.put(made->first);
    reply_.put(made->second);
    return answer(abi::Status::kOk);
  }
  bool handle(const DisconnectRealms& request) {
    return answer(shared_.peers.disconnect(realm_, request.one, request.other));
  }
  bool handle(const MakeRegion& request) {
    const auto made = shared_.regions.make(realm_, request);
    reply_.put(shared_.regions.take_gone(realm_));
    if (!made) {
      return answer(made.error());
    }
    reply_.put(made->region);
    reply_.put(made->place);
    return answer(abi::Status::kOk);
  }
  bool handle(const ShareRegion& request) {
    reply_.put(shared_.regions.take_gone(realm_));
    return answer(shared_.regions.share(realm_, request));
  }
  bool handle(const UnshareRegion& request) {
    reply_.put(shared_.regions.take_gone(realm_));
    return answer(shared_.regions.unshare(realm_, request));
  }
  bool handle(const ReleaseRegion& request) {
    reply_.put(shared_.regions.take_gone(realm_));
    return answer(shared_.regions.release(realm_, request));
  }
  bool handle(const FindRegion& request) {
    reply_.put(shared_.regions.take_gone(realm_));
    const auto found = shared_.regions.find(realm_, request);
    if (!found) {
      return answer(found.error());
    }
    for (const std::uint64_t word : {found->region, found->place, found->bytes,
                                     std::uint64_t{found->writable}, std::uint64_t{found->owner}}) {
      reply_.put(word);
    }
    reply_.put(found->name.view());
    return answer(abi::Status::kOk);
  }
  bool handle(const MakeBinary& request) {
    const auto made = shared_.binaries.make(realm_, request);
    if (!made) {
      return answer(made.error());
    }
    reply_.put(made->number);
    reply_.put(made->place);
    reply_.put(made->dirty);
    return answer(abi::Status::kOk);
  }
  bool handle(const GiveBinary& request) { return answer(shared_.binaries.give(realm_, request)); }
  bool handle(const TakeBinary& request) {
    const auto taken = shared_.binaries.take(realm_, request);
    if (!taken) {
      return answer(taken.error());
    }
    reply_.put(taken->place);
    reply_.put(taken->bytes);
    return answer(abi::Status::kOk);
  }
  bool handle(const TakeBackBinary& request) {
    return answer(shared_.binaries.take_back(realm_, request));
  }
  bool handle(const DropBinary& request) { return answer(shared_.binaries.drop(realm_, request)); }

 private:
  // False when the message is not to be answered.
  bool serve(const abi::Message& message) {
    const Received received(message);
    words_ = received.words;
    const MemoryClaim claim(realm_.memory());
    shared_.regions.reclaim(realm_);
    shared_.binaries.reclaim(realm_);
    reply_.status = abi::Status::kOk;
    reply_.length = 0;
    switch (message.badge & Realm::kBadgeKinds) {
      case Realm::kRequestBadge: {
        if (last_words_.awaited() &&
            received.label != static_cast<std::uint64_t>(abi::Request::kExit)) {
          return end_of_last_words({});
        }
        if (shared_.realms.is_stopping(realm_)) {
          return answer(abi::Status::kBadState);  // others wait for this thread
        }
        const auto request = decode_request(received.label, received.content());
        return request ? serve_request(*request) : answer(request.error());
      }
      case Realm::kFaultBadge:
        return serve_fault(received, message.badge >> Realm::kBadgeKindBits);
      case Realm::kStopBadge:
        stopped_ = true;  // this thread holds nothing now
        return true;
      default:
        return false;
    }
  }

  // Memory that children have counts as the realm's own, so they may also be the reason that it has
  // all that it may have.
  [[nodiscard]] bool lacks_memory(const DecodedRequest& request) const {
    return reply_.status == abi::Status::kOutOfMemory ||
           (reply_.status == abi::Status::kOverLimit &&
            (std::holds_alternative<MapPages>(request) ||
             std::holds_alternative<RequestMemory>(request) ||
             std::holds_alternative<CreateRealm>(request)));
  }

  [[nodiscard]] bool wants_memory() const {
    return reply_.status == abi::Status::kOutOfMemory || reply_.status == abi::Status::kOverLimit;
  }

  // A request for which the realm's memory is not enough is tried again when it has got more.
  bool serve_request(const DecodedRequest& request) {
    while (true) {
      const bool answered = std::visit([this](const auto& kind) { return handle(kind); }, request);
      const bool more =
          answered &&
          ((wants_memory() && shared_.binaries.spare(realm_)) ||
           (reply_.status == abi::Status::kOutOfMemory && shared_.realms.grow(realm_)) ||
           (lacks_memory(request) && shared_.realms.press(realm_)));
      if (!more) {
        return answered;
      }
      reply_.status = abi::Status::kOk;
      reply_.length = 0;
    }
  }

  // Of a capability that is not there any more, or, by the first realm, of a debug kernel where
  // this is another one.
  [[nodiscard]] bool is_refused_call(const Received& received) const {
    const auto kind = static_cast<abi::FaultKind>(received.label);
    if (kind == abi::FaultKind::kCap) {
      return received.words[abi::cap_fault::kAddress] >= abi::kObjectSlots;
    }
    const auto number = static_cast<long>(received.words[abi::unknown_syscall::kSyscall]);
    return is_first() && kind == abi::FaultKind::kUnknownSyscall &&
           number <= static_cast<long>(abi::Syscall::kDebugPutChar) &&
           number >= static_cast<long>(abi::Syscall::kDebugNameThread);
  }

  // Inherited memory is mapped, a stack grows, a region that was taken away is passed over, and a
  // capability that was is an answer to its user. Otherwise the thread stays where it is until the
  // realm is taken down.
  bool serve_fault(const Received& received, std::uint64_t worker) {
    if (realm_.memory().free_bytes() < kSpareBytes) {
      (void)shared_.realms.grow(realm_);
    }
    const bool data = static_cast<abi::FaultKind>(received.label) == abi::FaultKind::kVm &&
                      received.words[abi::vm_fault::kInstruction] == 0;
    const std::uint64_t address = data ? received.words[abi::vm_fault::kAddress] : 0;
    const bool write =
        data && (received.words[abi::vm_fault::kStatus] & abi::vm_fault::kStatusWrite) != 0;
    const abi::Status inherited =
        data && !write ? realm_.inherit(address) : abi::Status::kBadAddress;
    const bool admitted = inherited == abi::Status::kOk ? shared_.realms.admit_inheriting(realm_)
                                                        : shared_.realms.admit_fault(realm_);
    if (admitted && is_refused_call(received) && realm_.end_call(worker)) {
      return false;
    }
    if (admitted &&
        (inherited == abi::Status::kOk ||
         (data && (realm_.grow_stack(address) ||
                   realm_.skip_region_access(address, received.words[abi::vm_fault::kIp]))))) {
      return answer(abi::Status::kOk);
    }
    if (last_words_.awaited()) {
      return end_of_last_words({});
    }
    base::TextWriter& text = last_words_.begin();
    if (inherited == abi::Status::kOutOfMemory) {
      text << "realm " << realm_.name() << " has no memory left to map what it inherits, at "
           << base::Hex{address};
    } else {
      describe_fault(text, realm_.name(), received.label, received.content(), realm_.regions(),
                     &shared_.parts.image.elf());
    }
    if (!admitted) {
      text << "; too many faults in a second";
    }
    shared_.log(text.text());
    shared_.timer.leave(index_);
    const auto entry = shared_.parts.image.elf().function_named(abi::kLastWordsEntry);
    if (!entry || !realm_.let_speak(worker, entry->address)) {
      return end_of_last_words({});
    }
    last_words_.wait_until(now_tick() + shared_.parts.tsc_hertz / 1000 * abi::kLastWordsMs);
    return false;
  }

  // What the realm does meanwhile is its own time; the yields leave it the processor.
  abi::Message next_of_last_words() {
    while (!last_words_.too_late(now_tick())) {
      const abi::Message message = abi::nb_recv(realm_.endpoint(), realm_.reply());
      if (message.badge != 0) {
        return message;
      }
      abi::yield();
    }
    end_of_last_words({});
    return abi::recv(realm_.endpoint(), realm_.reply());
  }

  // False: no answer.
  bool end_of_last_words(std::string_view words) {
    last_words_.done();
    last_words_.add(words);
    stop(abi::kEndedByFault, last_words_.report());
    if (!words.empty()) {
      shared_.log("realm ", realm_.name(), " says: ", words);
    }
    shared_.log("realm ", realm_.name(), " stopped");
    return false;
  }

  void stop(std::uint64_t status, std::string_view text) {
    shared_.timer.leave(index_);
    realm_.halt();
    shared_.realms.ended(realm_, status, text);
  }

  [[nodiscard]] bool is_first() const { return realm_.number() == RealmTree::kRoot; }

  bool answer(abi::Status status) {
    reply_.status = status;
    return true;
  }

  Shared& shared_;
  Realm& realm_;
  std::size_t index_;
  Reply reply_;
  LastWords last_words_;
  bool stopped_ = false;
  const std::uint64_t* words_ = nullptr;
};

}  // namespace

void Service::run(void* service) {
  Server(*static_cast<Service*>(service)).loop();
}

// Nothing of what it knew is looked at but where to wait.
void Service::stay(void* service) {
  const Realm& realm = static_cast<Service*>(service)->realm;
  while (true) {
    const abi::Message message = abi::recv(realm.endpoint(), realm.reply());
    if ((message.badge & Realm::kBadgeKinds) == Realm::kStopBadge) {
      (void)abi::reply_recv(realm.endpoint(), abi::MessageInfo(0, 0, 0, 0), {}, realm.reply());
    }
  }
}

}  // namespace lona::manager
