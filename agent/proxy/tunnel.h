// What a connection becomes once its client and the upstream have switched to WebSocket (RFC 9110 7.8): bytes
// both ways, in order, read by nobody. Each way is bounded as a relayed body is: above buffer_high_bytes that
// wait for their reader, the other side is not read. The end of one side is passed on when all before it has
// been, and a reset as a reset. A tunnel on which nothing moves either way for tunnel_idle_timeout, or whose
// reader stands still for body_idle_timeout, is cut, and so is one that only half is left of for as long.
//
// Belongs to one worker's loop; ends by Worker::Remove, or with the Worker: a tunnel that has not come to its
// end by then is reset both ways.
#pragma once

#include <cstdint>

#include "guard/guard.h"
#include "net/loop.h"
#include "net/pace.h"
#include "net/stream.h"
#include "net/upstream_pool.h"
#include "proxy/options.h"

namespace apiquota::proxy {

class Worker;

class Tunnel final : public net::TimerLink, private net::TimerHandler {
 public:
  // Of both streams, what has arrived already is passed on at once.
  // `ticket` is held until the upstream has ended its side, or the tunnel is cut: who has been told of an end
  // finds it given back.
  Tunnel(Worker& worker, net::Stream client, net::DetachedUpstream upstream, guard::Ticket ticket);
  ~Tunnel();

 private:
  // One end, and the way that begins there.
  struct Side final : net::StreamHandler {
    Side(Tunnel& its, Side& its_other, net::Stream& its_stream)
        : tunnel(its), other(its_other), stream(its_stream) {}
    void OnBytes() override { tunnel.Moved(*this); }
    void OnDrained() override { tunnel.Moved(other); }
    void OnEnd(net::StreamEnd end) override { tunnel.Ended(*this, end); }
    void OnHangUp() override { tunnel.HungUp(*this); }

    Tunnel& tunnel;
    Side& other;
    net::Stream& stream;
    bool ended = false;      // it says no more
    bool passed_on = false;  // … and the other has been told
    net::Pace reading;       // how much it has taken of what waits for it
  };

  void Moved(Side& from);
  void Pump(Side& from);
  void Ended(Side& side, net::StreamEnd end);
  void HungUp(Side& side);
  static bool Through(const Side& from);
  void Settle();
  void Rearm();
  bool StandsStill(const Side& side) const;
  void OnTimer(net::Timer& timer) override;
  Micros IdleMax() const;
  void Cut();

  Worker& worker_;
  guard::Ticket ticket_;
  const ProxyOptions& options_;
  const net::PaceLimit pace_;
  net::Stream client_stream_;
  net::DetachedUpstream upstream_connection_;
  Side client_;
  Side upstream_;
  net::Timer timer_;
  SteadyTime moved_at_;
  bool over_ = false;
};

}  // namespace apiquota::proxy
