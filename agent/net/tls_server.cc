// TlsServer: the context of the day.
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <array>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "net/tls_settings.h"

namespace apiquota::net {
namespace {

constexpr std::chrono::seconds kLookEvery{1};

// What tells one state of a file from another without reading it.
struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = -1;  // no such file
  int64_t modified_seconds = 0;
  int64_t modified_nanos = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp StampOf(const std::string& file) {
  struct stat info{};
  if (file.empty() || stat(file.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

using Stamps = std::array<FileStamp, 3>;

Stamps StampsOf(const TlsServerOptions& options) {
  return {StampOf(options.cert_file), StampOf(options.key_file), StampOf(options.client_ca_file)};
}

}  // namespace

struct TlsServer::Impl {
  explicit Impl(const TlsServerOptions& options_in) : options(options_in) {}

  void LookAgain() {
    const Stamps now = StampsOf(options);  // before reading: what changes meanwhile is seen the next time
    if (now == stamps) return;
    stamps = now;
    auto renewed = NewServerContext(options);
    if (renewed) {
      context = std::move(*renewed);
      Log(LogLevel::kInfo, "certificate_renewed", {{"file", options.cert_file}});
    } else {
      Log(LogLevel::kError, "certificate_not_renewed",
          {{"error", renewed.error().message}, {"effect", "the old certificate stays"}});
    }
  }

  const TlsServerOptions options;
  std::mutex mutex;
  Stamps stamps;       // guarded by mutex, like all below
  TlsContext context;  // never null once created
  SteadyTime look_at;
};

Result<std::unique_ptr<TlsServer>> TlsServer::Create(const TlsServerOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  impl->stamps = StampsOf(impl->options);
  auto context = NewServerContext(impl->options);
  if (!context) return std::unexpected(context.error());
  impl->context = std::move(*context);
  return std::unique_ptr<TlsServer>(new TlsServer(std::move(impl)));
}

TlsServer::TlsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsServer::~TlsServer() = default;

TlsContext TlsServer::Context(SteadyTime now) {
  const std::lock_guard lock(impl_->mutex);
  if (now >= impl_->look_at) {
    impl_->look_at = now + kLookEvery;
    impl_->LookAgain();
  }
  SSL_CTX_up_ref(impl_->context.get());
  return TlsContext(impl_->context.get());
}

}  // namespace apiquota::net
