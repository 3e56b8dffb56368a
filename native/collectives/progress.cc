// The two threads of a rank: one tells and listens, one watches the clock. See progress.h.
#include "collectives/progress.h"

#include <dirent.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace onevision {

namespace {

constexpr Milliseconds kBetweenNotes{200};
constexpr Milliseconds kBetweenBeats{5000};

std::string progressKey(int rank) { return "progress/" + std::to_string(rank); }
std::string beatKey(int rank) { return "beat/" + std::to_string(rank); }

// Ends every connection of this process, so that whatever waits for one fails instead of waiting on.
// A collective of Gloo knows no other way to be called off.
void severConnections() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return;
  while (const dirent* const entry = readdir(folder)) {
    const int fd = std::atoi(entry->d_name);
    sockaddr_storage peer{};
    socklen_t length = sizeof(peer);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) != 0) continue;
    if (peer.ss_family == AF_INET || peer.ss_family == AF_INET6) shutdown(fd, SHUT_RDWR);
  }
  closedir(folder);
}

}  // namespace

Progress::Progress(StorePointer store, int rank, int size, Milliseconds silence)
    : store_(std::move(store)),
      rank_(rank),
      size_(size),
      silence_(silence),
      heard_(static_cast<size_t>(size), Heard{"", Clock::now()}),
      teller_([this] { tell(); }),
      watcher_([this] { watch(); }) {}

Progress::~Progress() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  teller_.join();
  watcher_.join();
}

void Progress::note(std::string text) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    text_ = std::move(text);
  }
  wake_.notify_all();
}

std::vector<std::string> Progress::readAll() {
  std::vector<std::string> texts;
  for (int rank = 0; rank < size_; ++rank) {
    if (!store_->check({progressKey(rank)})) {
      texts.emplace_back();
      continue;
    }
    const auto bytes = store_->get(progressKey(rank));
    texts.emplace_back(bytes.begin(), bytes.end());
  }
  return texts;
}

// Notes what is new, and that this rank is there.
void Progress::tell() {
  const auto between = std::min(kBetweenBeats, silence_ / 4);
  std::string told;
  auto next = Clock::now();
  int numBeats = 0;
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait_until(lock, next, [&] { return stop_ || text_ != told; });
    if (stop_) return;
    const bool isNew = text_ != told;
    told = text_;
    lock.unlock();
    try {
      if (isNew) store_->set(progressKey(rank_), told);
      if (Clock::now() >= next) {
        store_->set(beatKey(rank_), std::to_string(++numBeats));
        listen();
        next = Clock::now() + between;
      }
    } catch (const std::exception&) {
      // The store has gone with rank 0; whoever waits in a collective is told by it.
      next = Clock::now() + between;
    }
    lock.lock();
    wake_.wait_for(lock, kBetweenNotes, [&] { return stop_; });
  }
}

// That the store has answered is word of rank 0; of the others only rank 0 asks.
void Progress::listen() {
  const auto hear = [this](int rank, const std::string& beat) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& heard = heard_[static_cast<size_t>(rank)];
    if (heard.beat != beat) heard = {beat, Clock::now()};
  };
  const auto read = [this](int rank) {
    const auto bytes = store_->get(beatKey(rank));
    return std::string(bytes.begin(), bytes.end());
  };
  if (rank_ > 0) return hear(0, read(rank_));
  for (int rank = 1; rank < size_; ++rank) {
    if (store_->check({beatKey(rank)})) hear(rank, read(rank));
  }
}

void Progress::watch() {
  const auto between = std::min(Milliseconds{1000}, silence_ / 4);
  const int numRanks = rank_ == 0 ? size_ : 1;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!wake_.wait_for(lock, between, [&] { return stop_; })) {
    if (!waiting_) continue;
    for (int rank = rank_ == 0 ? 1 : 0; rank < numRanks; ++rank) {
      if (Clock::now() - heard_[static_cast<size_t>(rank)].at < silence_) continue;
      lost_ = rank;
      severConnections();
      return;
    }
  }
}

}  // namespace onevision
