// SPDX-License-Identifier: GPL-2.0
// One TCP connection: handshake, then frames both ways, then a goodbye.
//
// The lower-numbered end connects and says Hello; the other answers Hello. The
// first proves that it knows the cluster's key, then the other does. Then each end
// tells its limits and that it is Ready, and sends messages once it has seen the
// other's Ready.
#pragma once

#include "core/handshake.hpp"
#include "core/heartbeat.hpp"
#include "core/mailbox.hpp"
#include "core/origins.hpp"
#include "core/parser.hpp"
#include "core/peer.hpp"
#include "core/pump.hpp"
#include "core/work.hpp"

namespace ccm {

struct OfListener;
class Listener;

// Made, used and ended by the listener's thread. Others only send by it, through
// transmit(), while it is their peer's connection.
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
	};

	// No peer: whoever it is has to say so.
	Connection(Listener &listener, Node &node, Peer *peer);
	~Connection();

	void mark(u32 bits);
	// What happened at the socket, or what others ask for.
	void serve(u32 bits);
	// After all that is queued.
	void say_goodbye();
	// What the peer had by it is gone, and it is down. Whoever is sending by
	// it may be so still.
	ccm_event detach(ccm_reason reason, int error);
	bool is_detached() const
	{
		return detached_;
	}
	// Nobody is sending by it. Of one that is detached: nobody ever will.
	bool is_unused();
	void await_leaving();
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
	// Send what the peer's queue holds, in the caller's context. Sleeps.
	static void transmit(Peer &peer);

	Node &node;
	Peer *peer;	    // referenced; nullptr: a stranger
	Ref<Origin> origin; // whose place a stranger takes
	ccm_socket *socket = nullptr;
	ccm_endpoint remote{};
	u64 order = 0; // of accepting; 0: this end has connected
	Phase phase;
	u64 deadline_ms = 0; // when it ends by itself; 0: never
	u64 retry_ms = 0;    // when to look for memory again; 0: no need
	u64 look_ms = 0;     // when to look after it; 0: no need

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
	struct Source;
	struct Transport;

	// What returns bool returns whether it still exists. handshake.cpp:
	bool finish_connecting();
	bool on_stranger();
	bool on_poke(Peer &from);
	bool greet_stranger();
	bool on_hello();
	bool on_claim();
	bool claim(Peer &claimed);
	ccm_reason judge_claim_locked(const Peer &claimed) const;
	void adopt_locked(Peer &claimed);
	bool on_proof();
	bool on_ready();

	// connection.cpp
	bool on_control();
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
	bool charge_message_locked(Channel &channel, u64 charge);
	bool charge_call_locked(Channel &channel, u64 charge);
	void hold_for_listener();
	void abandon_message();

	// outbound.cpp
	void pump();
	void room_again();
	bool next_frame(Frame &frame);
	bool keep_pumping(Pump::Outcome outcome, bool tired);
	bool has_work_locked() const;
	bool has_frame_locked() const;
	bool may_send_messages_locked() const;
	bool compose_locked(Frame &frame);
	wire::Header header_locked(wire::Kind kind) const;
	void compose_hello_locked(Frame &frame);
	void compose_proof_locked(Frame &frame);
	void compose_heartbeat_locked(Frame &frame);
	void compose_echo_locked(Frame &frame);
	void compose_limit_locked(Frame &frame, Channel &channel);
	void compose_fragment_locked(Frame &frame);

	Listener &listener_;

	// Inbound: the listener's.
	Parser parser_;
	Todo todo_ = Todo::Nothing;
	u8 control_[wire::kHelloSize]; // payload of a control frame
	Placement placement_;	       // of the message that is arriving
	wire::Header first_{};	       // of its first fragment
	Message *arrived_ = nullptr;   // Todo::Arrived, Todo::Discard
	Heartbeat heartbeat_;
	bool heard_ = false;	 // something, since it was last noted
	bool by_itself_ = false; // of that, something without a heartbeat
	bool doubted_ = false;	 // the peer is suspect or stalled

	Handshake handshake_;

	// Outbound: under the peer's lock.
	bool pumping_ = false;	  // somebody owns the pump
	bool again_ = false;	  // and has to try the socket again
	bool unfinished_ = false; // the pump holds a frame, sent in part or not
	bool blocked_ = false;	  // the socket is full; it will tell
	int refused_ = 0;	  // why the socket took no frame
	bool detached_ = false;	  // do not send any more; set by the listener
	bool hello_due_ = false;
	bool proof_due_ = false;
	bool greeted_ = false; // the peer's proof has come
	bool ready_due_ = false;
	bool heartbeat_due_ = false;
	bool echo_due_ = false;
	bool asked_ = false;	 // somebody wants to hear of the echo
	u32 heartbeat_seqn_ = 0; // of the last one sent
	u32 timed_seqn_ = 0;	 // of the one whose echo is awaited
	u64 heartbeat_us_ = 0;	 // when that was; 0: none is
	u32 echo_seqn_ = 0;	 // of the peer's last
	bool goodbye_due_ = false;
	bool goodbye_sent_ = false;
	Sleepers pump_left_; // asleep until nobody owns the pump

	// Outbound: the pump's owner's.
	Pump pump_;
	Message *sending_ = nullptr;
	u32 offset_ = 0;	// of its next fragment
	bool finished_ = false; // the listener's: our side is shut
};

} // namespace ccm
