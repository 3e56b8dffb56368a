// What each rank is at, told to a store by threads of their own: they must not wait for a collective,
// nor a collective for them. Also hears whether the others are still there.
#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace onevision {

using Milliseconds = std::chrono::milliseconds;
using StorePointer = c10::intrusive_ptr<c10d::Store>;

class Progress {
 public:
  // A rank that is not heard of for `silence` is taken for lost. Rank 0, which holds the store,
  // listens to all; the others listen to rank 0.
  Progress(StorePointer store, int rank, int size, Milliseconds silence);
  ~Progress();

  void note(std::string text);
  // Only a rank that waits for others is interested in whether they are there.
  void setWaiting(bool isWaiting) { waiting_ = isWaiting; }
  // What each rank noted last.
  std::vector<std::string> readAll();
  // The rank that was lost while this one waited, or -1.
  int lost() const { return lost_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Heard {
    std::string beat;
    Clock::time_point at;
  };

  void tell();
  void listen();
  void watch();

  const StorePointer store_;
  const int rank_;
  const int size_;
  const Milliseconds silence_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string text_;
  std::vector<Heard> heard_;
  std::atomic<bool> waiting_{false};
  std::atomic<int> lost_{-1};
  bool stop_ = false;
  std::thread teller_;
  std::thread watcher_;
};

}  // namespace onevision
