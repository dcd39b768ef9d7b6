// SPDX-License-Identifier: BSD-2-Clause
#include "manager/service.hpp"

#include <cstring>

namespace lona::manager {

namespace {

struct Reply {
  abi::Status status = abi::Status::kOk;
  unsigned length = 0;
  abi::MessageWords words;
};

// A private copy of a message: the IPC buffer is used again by the work on it.
struct Received {
  explicit Received(const abi::Message& message)
      : label(message.info.label()),
        length(std::min<unsigned>(message.info.length(), abi::kMsgMaxLength)) {
    words[0] = message.words.mr0;
    words[1] = message.words.mr1;
    words[2] = message.words.mr2;
    words[3] = message.words.mr3;
    for (unsigned at = abi::kMsgRegisters; at < length; ++at) {
      words[at] = abi::ipc_buffer().msg[at];
    }
  }
  [[nodiscard]] std::span<const std::uint64_t> content() const { return {words, length}; }

  std::uint64_t label;
  unsigned length;
  std::uint64_t words[abi::kMsgMaxLength];
};

class Server {
 public:
  explicit Server(Service& service)
      : shared_(service.shared), realm_(service.realm), index_(service.index) {}

  [[noreturn]] void loop() {
    abi::Message message = abi::recv(realm_.endpoint(), realm_.reply());
    while (true) {
      const Received received(message);
      const bool answered = message.badge == Realm::kRequestBadge && serve(received);
      if (message.badge == Realm::kFaultBadge) {
        serve_fault(received);
      }
      message = answered
                    ? abi::reply_recv(realm_.endpoint(),
                                      abi::MessageInfo(static_cast<std::uint64_t>(reply_.status), 0,
                                                       0, reply_.length),
                                      reply_.words, realm_.reply())
                    : abi::recv(realm_.endpoint(), realm_.reply());
    }
  }

  // One function for each kind of request; false when it is not to be answered.
  bool handle(const MapPages& request) {
    const Guard guard(shared_.lock);
    shared_.memory.keep_slots_ready();
    return answer(realm_.map_pages(shared_.memory, request.pages));
  }
  bool handle(const UnmapPages& request) {
    const Guard guard(shared_.lock);
    return answer(realm_.unmap_pages(shared_.memory, request.pages));
  }
  bool handle(const Figures&) {
    const Guard guard(shared_.lock);
    reply_.length = 3;
    reply_.words = {realm_.memory_limit(), realm_.mapped(), shared_.memory.free_bytes(), 0};
    return answer(abi::Status::kOk);
  }
  bool handle(const SetDeadline& request) {
    shared_.timer.set_deadline(index_, request.tick);
    return answer(abi::Status::kOk);
  }
  bool handle(const LogText& request) {
    char text[abi::kLogMax];
    std::memcpy(text, words_ + 1, request.length);
    sanitize({text, request.length});
    shared_.log.line(realm_.name(), {text, request.length});
    return answer(abi::Status::kOk);
  }
  bool handle(const ExitRealm& request) {
    stop();
    shared_.log("realm ", realm_.name(), " ended with status ", request.status);
    return false;
  }

 private:
  bool serve(const Received& received) {
    words_ = received.words;
    reply_ = {};
    const auto request = decode_request(received.label, received.content());
    if (!request) {
      return answer(request.error());
    }
    return std::visit([this](const auto& kind) { return handle(kind); }, *request);
  }

  // The faulting thread is never answered: it stays where it is until the realm is stopped.
  void serve_fault(const Received& received) {
    base::FixedText<400> text;
    describe_fault(text, realm_.name(), received.label, received.content(), realm_.regions(),
                   &shared_.image.elf());
    shared_.log(text.text());
    stop();
    shared_.log("realm ", realm_.name(), " stopped");
  }

  void stop() {
    shared_.timer.leave(index_);
    const Guard guard(shared_.lock);
    realm_.stop(shared_.memory);
  }

  bool answer(abi::Status status) {
    reply_.status = status;
    return true;
  }

  Shared& shared_;
  Realm& realm_;
  std::size_t index_;
  Reply reply_;
  const std::uint64_t* words_ = nullptr;
};

}  // namespace

void Service::run(void* service) {
  Server(*static_cast<Service*>(service)).loop();
}

}  // namespace lona::manager
