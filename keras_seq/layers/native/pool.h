// Threads that wait for work: the two or more parts of one operation run side by side.

#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace kseq {

class Pool {
 public:
  // Never destroyed: at exit the threads may still wait in it.
  static Pool& shared() {
    static Pool* pool = new Pool();
    return *pool;
  }

  // Calls part(0) ... part(parts - 1), some of them on other threads, and returns when
  // all are done. The caller takes parts too, so a busy pool delays nothing.
  void run(int parts, const std::function<void(int)>& part) {
    if (parts <= 1) {
      if (parts == 1) part(0);
      return;
    }
    auto job = std::make_shared<Job>();
    job->part = &part;
    job->parts = parts;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      try {
        for (; threads_ < parts - 1; threads_++) std::thread([this] { serve(); }).detach();
      } catch (const std::system_error&) {
        // No more threads to be had: those there are, and the caller, do the work.
      }
      for (int i = 1; i < parts; i++) jobs_.push_back(job);
    }
    for (int i = 1; i < parts; i++) wake_.notify_one();
    job->take();
    while (job->done.load(std::memory_order_acquire) < parts) std::this_thread::yield();
    if (job->failed) throw std::bad_alloc();
  }

 private:
  struct Job {
    const std::function<void(int)>* part;
    int parts;
    std::atomic<int> next{0}, done{0};
    std::atomic<bool> failed{false};

    void take() {
      for (int i; (i = next.fetch_add(1)) < parts;) {
        try {
          (*part)(i);
        } catch (const std::bad_alloc&) {
          failed = true;  // the other parts still use what the caller owns
        }
        done.fetch_add(1, std::memory_order_release);
      }
    }
  };

  void serve() {
    for (;;) {
      std::shared_ptr<Job> job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [this] { return !jobs_.empty(); });
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job->take();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::shared_ptr<Job>> jobs_;
  int threads_ = 0;
};

}  // namespace kseq
