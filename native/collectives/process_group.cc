// Process groups over c10d: see process_group.h. Nothing here knows what is trained.
#include "collectives/process_group.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <torch/csrc/distributed/c10d/GroupRegistry.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bridge/failure.h"
#include "collectives/progress.h"

namespace onevision {

namespace {

// The one world of this process. Never destroyed at exit: threads of c10d may still be in it.
struct World {
  int rank = 0;
  int size = 1;
  std::string backend;
  std::string address;
  StorePointer store;
  std::shared_ptr<Progress> progress;
  // c10d's register does not own them.
  std::vector<c10::intrusive_ptr<c10d::ProcessGroup>> groups;
};

std::unique_ptr<World>& world() {
  static auto* const instance = new std::unique_ptr<World>();
  return *instance;
}

World& openWorld(const char* what) {
  if (world() == nullptr) {
    throw Failure("native", std::string(what) + " expects an open process group; there is none.");
  }
  return *world();
}

// The address under which `host` reaches this machine: that of the interface towards it.
std::string ownAddress(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    throw Failure("parallel", "expected the address of the first rank, came `" + host +
                                  "`: " + gai_strerror(failed));
  }
  char text[NI_MAXHOST] = "";
  const int udp = socket(found->ai_family, SOCK_DGRAM, 0);
  sockaddr_storage own{};
  socklen_t length = sizeof(own);
  // Connecting a datagram socket sends nothing; it asks for the route.
  const bool known = udp >= 0 && connect(udp, found->ai_addr, found->ai_addrlen) == 0 &&
                     getsockname(udp, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
                     getnameinfo(reinterpret_cast<sockaddr*>(&own), length, text, sizeof(text),
                                 nullptr, 0, NI_NUMERICHOST) == 0;
  if (udp >= 0) close(udp);
  freeaddrinfo(found);
  if (!known) throw Failure("parallel", "expected a route to " + host + ", came none");
  return text;
}

c10::intrusive_ptr<c10d::Store> connectStore(const std::string& host, int port, bool isServer,
                                             std::optional<size_t> waitFor, Milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(port);
  options.isServer = isServer;
  options.numWorkers = waitFor;
  options.waitWorkers = waitFor.has_value();
  options.timeout = timeout;
  return c10::make_intrusive<c10d::TCPStore>(host, options);
}

void makeGroup(World& world, const std::string& name, const StorePointer& base, int rank, int size,
               Milliseconds timeout) {
  const auto store = c10::make_intrusive<c10d::PrefixStore>("group/" + name, base);
  auto group = c10::make_intrusive<c10d::ProcessGroup>(store, rank, size);
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(world.address));
  const auto gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(
      c10::make_intrusive<c10d::PrefixStore>("gloo", store), rank, size, options);
  group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, gloo);
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
  if (world.backend == "nccl") {
#ifdef USE_C10D_NCCL
    auto cuda = c10d::ProcessGroupNCCL::Options::create();
    cuda->timeout = timeout;
    const auto nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(
        c10::make_intrusive<c10d::PrefixStore>("nccl", store), rank, size, cuda);
    group->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, nccl);
    group->setDefaultBackend(c10d::ProcessGroup::BackendType::NCCL);
#else
    throw Failure("parallel", std::string("expected an addon with NCCL for ranks on CUDA, came one ") +
                                  "without: " + ONEVISION_NO_NCCL,
                  "docs/tensor.md says how to set up libtorch for CUDA");
#endif
  }
  group->setGroupName(name);
  c10d::register_process_group(name, group);
  world.groups.push_back(std::move(group));
}

std::string text(const Napi::Object& from, const char* key) {
  return from.Get(key).ToString().Utf8Value();
}

int number(const Napi::Object& from, const char* key) {
  return from.Get(key).ToNumber().Int32Value();
}

}  // namespace

Napi::Value openProcessGroup(const Napi::CallbackInfo& info) {
  if (world() != nullptr) throw Failure("native", "openProcessGroup: a group is open already.");
  const auto given = info[0].As<Napi::Object>();
  const std::string host = text(given, "host");
  const int port = number(given, "port");
  const Milliseconds timeout{number(given, "timeoutMs")};
  auto made = std::make_unique<World>();
  made->rank = number(given, "rank");
  made->size = number(given, "size");
  made->backend = text(given, "backend");
  made->address = ownAddress(host, port);
  const auto ranks = static_cast<size_t>(made->size);
  made->store = connectStore(host, port, made->rank == 0, ranks, timeout);
  made->progress = std::make_shared<Progress>(connectStore(host, port, false, {}, timeout),
                                              made->rank, made->size,
                                              Milliseconds{number(given, "silenceMs")});
  makeGroup(*made, text(given, "name"), made->store, made->rank, made->size, timeout);
  world() = std::move(made);
  return info.Env().Undefined();
}

Napi::Value openSubGroup(const Napi::CallbackInfo& info) {
  auto& open = openWorld("openSubGroup");
  const auto ranks = info[1].As<Napi::Array>();
  int own = -1;
  for (uint32_t i = 0; i < ranks.Length(); ++i) {
    const Napi::Value member = ranks.Get(i);
    if (member.ToNumber().Int32Value() == open.rank) own = static_cast<int>(i);
  }
  if (own < 0) throw Failure("native", "openSubGroup expects to be called by its members only.");
  makeGroup(open, info[0].ToString(), open.store, own, static_cast<int>(ranks.Length()),
            Milliseconds{info[2].ToNumber().Int32Value()});
  return info.Env().Undefined();
}

Napi::Value closeProcessGroups(const Napi::CallbackInfo& info) {
  if (world() != nullptr) {
    for (const auto& group : world()->groups) {
      c10d::unregister_process_group(group->getGroupName());
    }
    world().reset();
  }
  return info.Env().Undefined();
}

Napi::Value storeSet(const Napi::CallbackInfo& info) {
  const std::string key = info[0].ToString();
  const std::string value = info[1].ToString();
  openWorld("storeSet").store->set(key, value);
  return info.Env().Undefined();
}

Napi::Value storeGet(const Napi::CallbackInfo& info) {
  const auto& store = openWorld("storeGet").store;
  const std::string key = info[0].ToString();
  if (!store->check({key})) return info.Env().Null();
  const auto bytes = store->get(key);
  return Napi::String::New(info.Env(), std::string(bytes.begin(), bytes.end()));
}

Napi::Value noteProgress(const Napi::CallbackInfo& info) {
  openWorld("noteProgress").progress->note(info[0].ToString());
  return info.Env().Undefined();
}

Napi::Value noteWaiting(const Napi::CallbackInfo& info) {
  openWorld("noteWaiting").progress->setWaiting(info[0].ToBoolean());
  return info.Env().Undefined();
}

Napi::Value lostRank(const Napi::CallbackInfo& info) {
  const int lost = openWorld("lostRank").progress->lost();
  return lost < 0 ? info.Env().Null() : Napi::Number::New(info.Env(), lost);
}

// Reads in a thread that may stay behind: a store whose network is gone never answers.
Napi::Value readProgress(const Napi::CallbackInfo& info) {
  struct Answer {
    std::mutex mutex;
    std::condition_variable came;
    bool done = false;
    std::vector<std::string> texts;
  };
  const auto answer = std::make_shared<Answer>();
  std::thread([answer, progress = openWorld("readProgress").progress] {
    std::vector<std::string> texts;
    try {
      texts = progress->readAll();
    } catch (const std::exception&) {
      // No texts: the store has gone.
    }
    const std::lock_guard<std::mutex> lock(answer->mutex);
    answer->texts = std::move(texts);
    answer->done = true;
    answer->came.notify_all();
  }).detach();
  std::unique_lock<std::mutex> lock(answer->mutex);
  answer->came.wait_for(lock, Milliseconds{info[0].ToNumber().Int32Value()},
                        [&] { return answer->done; });
  if (answer->texts.empty()) return info.Env().Null();
  auto result = Napi::Array::New(info.Env());
  for (const auto& line : answer->texts) {
    result.Set(result.Length(), Napi::String::New(info.Env(), line));
  }
  return result;
}

Napi::Value whyNoNccl(const Napi::CallbackInfo& info) {
#ifdef USE_C10D_NCCL
  return info.Env().Null();
#else
  return Napi::String::New(info.Env(), ONEVISION_NO_NCCL);
#endif
}

}  // namespace onevision
