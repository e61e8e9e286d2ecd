#include "net/http_client.h"

#include <deque>
#include <unordered_map>

#include "net/alarm.h"
#include "net/http_transfer.h"

namespace apiquota::net {
namespace {

// Once a process, before the first handle; it is not undone, as other users of the library may remain.
void InitLibrary() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(done);
}

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

}  // namespace

// libcurl says which sockets to watch and when to wake it; the loop does both. A request's end may destroy
// the client: `alive` tells.
class HttpClient::Impl {
 public:
  Impl(Loop& loop, HttpClientOptions options)
      : loop_(loop), options_(std::move(options)), timer_(loop, [this] { Act(CURL_SOCKET_TIMEOUT, 0); }) {
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
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, curl_socket_callback{});
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, curl_multi_timer_callback{});
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
  // One that libcurl has opened, and will close.
  class Socket final : public EventHandler {
   public:
    Socket(Impl& client, curl_socket_t fd) : client_(client), fd_(fd) {}
    ~Socket() { client_.loop_.Unwatch(fd_, *this); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    void Watch(int what) {
      uint32_t events = 0;
      if ((what & CURL_POLL_IN) != 0) events |= EPOLLIN;
      if ((what & CURL_POLL_OUT) != 0) events |= EPOLLOUT;
      client_.loop_.Watch(fd_, events, *this);
    }
    void OnEvents(uint32_t events) override {
      client_.Act(fd_, ((events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
                           ((events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                           ((events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0));
    }

   private:
    Impl& client_;
    const curl_socket_t fd_;
  };

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
    if (timeout_ms < 0) return timer_.Cancel();
    timer_.Set(std::chrono::milliseconds(timeout_ms));
  }

  static int OnSocket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    static_cast<Impl*>(self)->SetSocket(fd, what);
    return 0;
  }

  void SetSocket(curl_socket_t fd, int what) {
    if (what == CURL_POLL_REMOVE) {
      sockets_.erase(fd);
      return;
    }
    std::unique_ptr<Socket>& socket = sockets_[fd];
    if (!socket) socket = std::make_unique<Socket>(*this, fd);
    socket->Watch(what);
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
  Alarm timer_;
  std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::unordered_map<curl_socket_t, std::unique_ptr<Socket>> sockets_;
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
