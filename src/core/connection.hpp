// SPDX-License-Identifier: GPL-2.0
// One TCP connection: handshake, then frames both ways, then a goodbye.
//
// The lower-numbered end connects and says Hello; the other answers Hello. The
// first proves that it knows the cluster's key, then the other does. Then each end
// tells its limits and that it is Ready, and sends messages once it has seen the
// other's Ready.
#pragma once

#include "core/egress.hpp"
#include "core/handshake.hpp"
#include "core/heartbeat.hpp"
#include "core/mailbox.hpp"
#include "core/origins.hpp"
#include "core/parser.hpp"
#include "core/peer.hpp"
#include "core/transmitter.hpp"
#include "core/work.hpp"

namespace ccm {

struct OfListener;
class Listener;

// Made, used and ended by the listener's thread. Others only send by it, through its
// egress, while it is their peer's connection.
class Connection : public Work,
		   public Hook<OfListener>,
		   public Hook<OfUnproven> {
public:
	enum class Phase {
		Connecting, // TCP does
		Hello,	    // the peer's Hello is to come
		Proof,	    // its proof is
		Ready,	    // the peer's limits and its Ready are
		Open,
		Ended, // its peer has it no more; somebody may transmit still
	};

	// No peer: whoever it is has to say so.
	Connection(Listener &listener, Node &node, Peer *peer);
	~Connection();

	void mark(u32 bits);
	// What happened at the socket, or what others ask for.
	void serve(u32 bits);
	// After all that is queued.
	void say_goodbye();
	// A call or an answer that is whole is acted on: the peer may have been told
	// that it has come.
	void finish_reading();
	// What the peer had by it is gone, and it is down. Whoever is sending by
	// it may be so still.
	ccm_event detach(ccm_reason reason, int error);
	bool is_detached() const
	{
		return phase == Phase::Ended;
	}
	// Nobody is sending by it. Of one that is detached: nobody ever will.
	bool is_unused();
	// Ask for a sign of life if it is time, or end it for want of one: whether
	// it still exists.
	bool look_after(u64 now);
	// Who it has said to be; 0: nothing yet.
	u32 named() const
	{
		return handshake_.other;
	}
	// The peer's policy may have changed.
	void follow_policy();
	// A heartbeat as soon as may be, whose answer is told as an event.
	void ask_locked();

	Node &node;
	Peer *peer;	    // referenced; nullptr: it is pending
	Ref<Origin> origin; // whose place it takes while it is
	ccm_socket *socket = nullptr;
	ccm_endpoint remote{};
	u64 order = 0; // of accepting; 0: this end has connected
	Phase phase;
	u64 deadline_ms = 0; // when it ends by itself; 0: never
	u64 retry_ms = 0;    // when to look for memory again; 0: no need
	u64 look_ms = 0;     // when to look after it; 0: no need
	Egress egress;

private:
	enum class Todo {
		Nothing,
		Place,	 // find memory for a message
		Control, // act on a control frame
		Arrived, // a call or an answer is whole
		Discard, // what has arrived is for nobody
		Break,	 // the peer broke the protocol
		Overrun, // it has us keep too much that is refused
	};

	// What returns bool returns whether it still exists. handshake.cpp:
	bool finish_connecting();
	bool on_pending();
	bool on_poke(Peer &from);
	bool greet_pending();
	bool on_hello();
	bool on_claim();
	bool claim(Peer &claimed);
	ccm_reason judge_claim_locked(const Peer &claimed) const
		REQUIRES(claimed.lock);
	void adopt_locked(Peer &claimed) REQUIRES(claimed.lock);
	bool on_proof();
	bool on_ready();

	// connection.cpp
	bool on_control();
	void room_again();
	bool goodbye_is_out();
	int why_refused();
	void on_heartbeat(u32 seqn);
	void on_echo(u32 seqn);
	void note_life();
	void become(ccm_state state);
	bool on_limit(const wire::Limit &limit);
	bool on_end(int error);
	bool break_off(ccm_reason reason, int error);

	// inbound.cpp
	bool receive(bool &drained);
	bool resolve();
	void act_on_arrived();
	static size_t take(void *connection, const u8 *data, size_t size);
	void feed(Bytes &bytes);
	void on_header(const wire::Header &header);
	bool expects(const wire::Header &header) const;
	bool acknowledge(const wire::Header &header);
	void begin_message(const wire::Header &header);
	bool continues(const wire::Header &header);
	bool find_place(MaySleep may_sleep);
	bool charge();
	void on_payload(const Parser::Piece &piece);
	void on_frame();
	void message_is_whole();
	bool is_left_over();
	void pass_over();
	bool charge_message_locked(Channel &channel, u64 charge)
		REQUIRES(peer->lock);
	bool charge_call_locked(Channel &channel, u64 charge)
		REQUIRES(peer->lock);
	void hold_for_listener();
	void abandon_message();

	Listener &listener_;

	// Inbound: the listener's.
	Parser parser_;
	Todo todo_ = Todo::Nothing;
	u8 control_[wire::kHelloSize]; // payload of a control frame
	Placement placement_;	       // of the message that is arriving
	wire::Header first_{};	       // of its first fragment
	u64 expected_ = 0;	       // sequence number of the next message
	Message *arrived_ = nullptr;   // Todo::Arrived, Todo::Discard
	Heartbeat heartbeat_;
	bool heard_ = false;	 // something, since it was last noted
	bool by_itself_ = false; // of that, something without a heartbeat
	bool doubted_ = false;	 // the peer is suspect or stalled

	Handshake handshake_;
	// Somebody wants to hear of the echo.
	bool asked_ GUARDED_BY(peer->lock) = false;
	bool finished_ = false; // our side is shut
};

} // namespace ccm
