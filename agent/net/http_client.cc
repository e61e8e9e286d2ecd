#include "net/http_client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <unordered_map>

#include "net/http_transfer.h"

namespace apiquota::net {
namespace {

namespace asio = boost::asio;

// Once a process, before the first handle; it is not undone, as other users of the library may remain.
void InitLibrary() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

}  // namespace

// libcurl says which sockets to watch and when to wake it; the loop does both. Handlers that are still queued
// when a socket or the client has gone find that out by `alive`.
class HttpClient::Impl {
 public:
  Impl(Loop& loop, HttpClientOptions options)
      : loop_(loop), options_(std::move(options)), timer_(loop.context()) {
    InitLibrary();
    multi_.reset(curl_multi_init());
    CURLM* const multi = multi_.get();
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &OnSocket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &OnTimeout);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections_kept_max));
  }

  ~Impl() {
    *alive_ = false;
    for (const auto& [fd, socket] : sockets_) socket->descriptor.release();
    sockets_.clear();
    for (const auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_.get(), easy);
  }

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void Send(ClientRequest request, Done done) {
    waiting_.emplace_back(std::move(request), std::move(done));
    StartWaiting();
  }

  size_t active() const { return active_.size(); }
  size_t waiting() const { return waiting_.size(); }

 private:
  struct Socket {
    explicit Socket(asio::io_context& context) : descriptor(context) {}
    asio::posix::basic_stream_descriptor<asio::io_context::executor_type> descriptor;
    int wanted = CURL_POLL_NONE;  // CURL_POLL_IN, _OUT or _INOUT
    bool reading = false;         // a wait is under way
    bool writing = false;
  };
  using SocketPtr = std::shared_ptr<Socket>;

  void StartWaiting() {
    while (!waiting_.empty() && active_.size() < options_.requests_max) {
      auto [request, done] = std::move(waiting_.front());
      waiting_.pop_front();
      std::unique_ptr<HttpTransfer> transfer = TakeTransfer();
      transfer->Prepare(std::move(request), std::move(done));
      CURL* const easy = transfer->easy();
      active_.emplace(easy, std::move(transfer));
      curl_multi_add_handle(multi_.get(), easy);  // asks for a timeout of 0: it begins from the loop
    }
  }

  std::unique_ptr<HttpTransfer> TakeTransfer() {
    if (spare_.empty()) return std::make_unique<HttpTransfer>(options_, loop_.clock());
    std::unique_ptr<HttpTransfer> transfer = std::move(spare_.back());
    spare_.pop_back();
    return transfer;
  }

  static int OnTimeout(CURLM*, long timeout_ms, void* self) {
    static_cast<Impl*>(self)->SetTimer(timeout_ms);
    return 0;
  }

  void SetTimer(long timeout_ms) {
    timer_.cancel();
    if (timeout_ms < 0 || !*alive_) return;
    timer_.expires_after(std::chrono::milliseconds(timeout_ms));
    timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
      if (!error && *alive) Act(CURL_SOCKET_TIMEOUT, 0);
    });
  }

  static int OnSocket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    static_cast<Impl*>(self)->SetSocket(fd, what);
    return 0;
  }

  void SetSocket(curl_socket_t fd, int what) {
    if (what == CURL_POLL_REMOVE) {
      const auto found = sockets_.find(fd);
      if (found == sockets_.end()) return;
      found->second->wanted = CURL_POLL_NONE;
      found->second->descriptor.release();  // its file descriptor is libcurl's to close
      sockets_.erase(found);
      return;
    }
    SocketPtr& socket = sockets_[fd];
    if (!socket) {
      socket = std::make_shared<Socket>(loop_.context());
      boost::system::error_code ignored;
      socket->descriptor.assign(fd, ignored);
    }
    socket->wanted = what;
    Watch(fd, socket);
  }

  void Watch(curl_socket_t fd, const SocketPtr& socket) {
    using Base = asio::posix::descriptor_base;
    if ((socket->wanted & CURL_POLL_IN) != 0 && !socket->reading) {
      Wait(fd, socket, Base::wait_read, CURL_CSELECT_IN, &socket->reading);
    }
    if ((socket->wanted & CURL_POLL_OUT) != 0 && !socket->writing) {
      Wait(fd, socket, Base::wait_write, CURL_CSELECT_OUT, &socket->writing);
    }
  }

  void Wait(curl_socket_t fd, const SocketPtr& socket, asio::posix::descriptor_base::wait_type type,
            int event, bool* waiting) {
    *waiting = true;
    socket->descriptor.async_wait(
        type, [this, alive = alive_, fd, socket, event, waiting](const boost::system::error_code& error) {
          *waiting = false;
          if (!*alive || error == asio::error::operation_aborted) return;
          const int wanted = event == CURL_CSELECT_IN ? CURL_POLL_IN : CURL_POLL_OUT;
          if ((socket->wanted & wanted) == 0) return;
          Act(fd, event);
          if (*alive && socket->wanted != CURL_POLL_NONE) Watch(fd, socket);
        });
  }

  void Act(curl_socket_t fd, int events) {
    int running = 0;
    curl_multi_socket_action(multi_.get(), fd, events, &running);
    const std::shared_ptr<bool> alive = alive_;
    int left = 0;
    while (*alive) {
      const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);
      if (message == nullptr) break;
      if (message->msg == CURLMSG_DONE) Finish(message->easy_handle, message->data.result);
    }
    if (*alive) StartWaiting();
  }

  void Finish(CURL* easy, CURLcode code) {
    curl_multi_remove_handle(multi_.get(), easy);
    const auto found = active_.find(easy);
    std::unique_ptr<HttpTransfer> transfer = std::move(found->second);
    active_.erase(found);
    ClientResult result = transfer->Finish(code);
    const Done done = transfer->TakeDone();
    spare_.push_back(std::move(transfer));
    done(std::move(result));  // may destroy the client
  }

  Loop& loop_;
  const HttpClientOptions options_;
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                             asio::io_context::executor_type>
      timer_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::unordered_map<curl_socket_t, SocketPtr> sockets_;
  std::unordered_map<CURL*, std::unique_ptr<HttpTransfer>> active_;
  std::vector<std::unique_ptr<HttpTransfer>> spare_;
  std::deque<std::pair<ClientRequest, Done>> waiting_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

HttpClient::HttpClient(Loop& loop, HttpClientOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
HttpClient::~HttpClient() = default;

void HttpClient::Send(ClientRequest request, Done done) { impl_->Send(std::move(request), std::move(done)); }
size_t HttpClient::active() const { return impl_->active(); }
size_t HttpClient::waiting() const { return impl_->waiting(); }

}  // namespace apiquota::net
