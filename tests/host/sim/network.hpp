// SPDX-License-Identifier: GPL-2.0
// The machines and the network between them. What a socket sends goes in pieces
// that take their time, in order for each end of a connection and in no order
// beside others. A machine takes packets in a thread that must not sleep, as a
// softirq does; what comes while somebody has the socket's lock waits in its
// backlog until he drops it.
#pragma once

#include "sim/world.hpp"

#include <deque>
#include <map>

namespace ccm_sim {

using Bytes = std::vector<u8>;

class End;
class Network;

struct Packet {
	enum class Kind {
		Syn,	// of the other end
		SynAck, // it is there
		Joined, // and knows
		Data,
		Acknowledged, // so many bytes
		Fin,
		Reset,
		Look,  // whether there is room for what waits; to itself
		Alive, // the other end's machine has answered
		Timer, // to itself
	};

	Kind kind;
	End *to; // Syn: nobody yet, and so who has sent it
	End *from = nullptr;
	Bytes bytes = {};
};

// How a network and its sockets are; drawn for each run.
struct Climate {
	explicit Climate(World &world);

	u32 base_us;   // from machine to machine
	u32 jitter_us; // at most so much more
	u32 room;      // bytes of a socket, to send
	u32 window;    // and to receive
	u32 piece;     // of what is sent, at most
	u32 slow;      // one in so many connections is slow
};

} // namespace ccm_sim

// A machine, or a network namespace of it.
struct net {
	net(ccm_sim::Network &network, u32 number);
	net(const net &) = delete;
	net &operator=(const net &) = delete;

	void post(u64 at_us, ccm_sim::Packet packet);
	void stop();
	// It is away.
	bool lost() const;

	ccm_sim::Network &network;
	const u32 number;
	ccm_sim::End *door = nullptr;
	std::deque<ccm_sim::End *> arriving; // until they are accepted
	size_t backlog = 64;
	u64 lost_until_us = 0;
	u32 replacing = 0; // the peer whose connection another one replaces

private:
	static void softirq(void *self);
	void take_packets();
	void take(ccm_sim::Packet &packet);
	void on_syn(ccm_sim::End &from);

	std::multimap<u64, ccm_sim::Packet> packets_; // by time
	bool stop_ = false;
	ccm_sim::Fibre *softirq_;
	ccm_sim::Waiters idle_;
};

namespace ccm_sim {

// One end of a connection, or a listening socket. It is there until the network
// goes: packets may come late.
class End {
public:
	// attempt: of all connections; both ends have the same.
	End(net &host, u32 remote, int status, u64 attempt);
	End(const End &) = delete;
	End &operator=(const End &) = delete;

	// --- the core's: as kernel.h says ---

	int own(void *owner);
	int status() const;
	void signs(ccm_signs &out);
	void probe();
	void set_timeout(int timeout_ms);
	int send(const u8 *head, size_t head_size, const u8 *body,
		 size_t body_size);
	int read(size_t budget, size_t (*take)(void *arg, const u8 *, size_t),
		 void *arg);
	void finish();
	void mute();
	void close();

	// --- the network's ---

	void connect(void *owner, int timeout_ms);
	// In the softirq.
	void receive(Packet &packet);
	void tell(u32 what);
	// A connection has come that nobody has accepted.
	void drop();

	net &host;
	const u32 remote;
	const u64 attempt;

private:
	friend class Network;
	friend struct ::net;
	class Locked;

	void lock();
	void unlock();
	void handle(Packet &packet);
	void on_syn_ack(End &from);
	void on_joined();
	void on_stream(Packet &packet);
	void on_acknowledged(size_t count);
	void fail(int error);
	void on_timer();
	void look();
	void arm();
	bool has_room(const Packet &packet) const;
	void take_in(Packet &packet);
	void transmit(Packet::Kind kind, Bytes bytes = {});
	void transmit_pieces(const Bytes &bytes);
	void post_to_itself(Packet::Kind kind, u64 after_us);
	size_t room() const;
	bool reaches() const;
	bool is_shut() const;
	size_t give(size_t budget, bool &stopped,
		    size_t (*take)(void *arg, const u8 *, size_t), void *arg);
	int why_nothing() const;
	void watch_replacing() const;

	End *far_ = nullptr;
	void *owner_ = nullptr;
	int status_;
	bool closed_ = false;
	u64 began_us_;

	// The socket's lock: somebody has it, or the softirq has.
	bool locked_ = false;
	u32 released_ = 0; // for the thread sanitizer
	u32 telling_ = 0;
	Waiters waiters_;
	std::deque<Packet> backlog_;

	// What has come.
	std::deque<Bytes> incoming_;
	size_t unread_ = 0;
	std::deque<Packet> beyond_; // the window
	bool ended_ = false;	    // and no more will

	// What goes.
	u64 sent_ = 0;
	u64 acknowledged_ = 0;
	bool full_ = false; // and says so when it is not
	bool finished_ = false;
	u64 busy_since_us_ = 0;
	u64 last_arrival_us_ = 0; // of its packets, at the other end
	u32 slow_us_;		  // each
	bool reset_lost_ = false;

	u64 heard_us_;
	u64 timeout_us_ = 0; // 0: never
	bool timer_ = false;
};

class Network {
public:
	explicit Network(World &world);
	Network(const Network &) = delete;
	Network &operator=(const Network &) = delete;

	net &host(u32 number)
	{
		return hosts_[number - 1];
	}
	net &add_host();
	u32 size() const
	{
		return static_cast<u32>(hosts_.size());
	}
	// No packet is taken any more.
	void stop();

	// --- faults ---

	// All connections between two break.
	void cut(u32 a, u32 b);
	// For so long nothing arrives from one at the other.
	void silence(u32 from, u32 to, u64 us);
	// A machine is away for so long; nothing of it is left then.
	void lose(u32 number, u64 us);
	// From now on there are none.
	void calm();

	u64 silent_until_us(u32 from, u32 to) const
	{
		return silent_until_[from - 1][to - 1];
	}
	End &make_end(net &host, u32 remote, int status, u64 attempt);
	u64 new_attempt()
	{
		return ++attempts_;
	}
	u64 latency_us();
	// Of the connections that a machine has with another but this; 0: it has none.
	u64 newest_attempt_but(const End &one) const;

	World &world;
	const Climate climate;
	static ccm_endpoint address_of(u32 number);
	static constexpr u32 kHostsMax = 4;

private:
	std::deque<net> hosts_;
	std::deque<End> ends_;
	u64 attempts_ = 0;
	bool calm_ = false;
	u64 silent_until_[kHostsMax][kHostsMax] = {};
};

} // namespace ccm_sim
