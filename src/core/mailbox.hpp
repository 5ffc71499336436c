// SPDX-License-Identifier: GPL-2.0
// The paper's Recv_Wait_Queue and Recv_Data_Queue (3.3.2) of one module number,
// and how messages and receivers find each other.
//
// First come, first served: an arriving message goes to the receiver that has
// waited longest, a receiver gets the message that came first, among those
// that match. A receiver with a buffer of its own gets the bytes straight from
// the socket.
#pragma once

#include "core/filing.hpp"
#include "core/handlers.hpp"
#include "core/message.hpp"
#include "support/lock.hpp"
#include "support/result.hpp"

namespace ccm {

struct Channel;
struct Placement;

// What a receiver waits for.
struct Want {
	u32 node;
	u32 type;
	u32 seqn;
	bool any_node;
	bool any_seqn;

	// This form of it.
	static Want of(u32 form, const Key &key)
	{
		return {.node = key.node,
			.type = key.type,
			.seqn = key.seqn,
			.any_node = !(form & kWithNode),
			.any_seqn = !(form & kWithSeqn)};
	}
	u32 form() const
	{
		return (any_node ? 0u : kWithNode) |
		       (any_seqn ? 0u : kWithSeqn);
	}
	Key key() const
	{
		return {.node = node, .type = type, .seqn = seqn};
	}
};

struct OfNode;
struct OfWant;

// A receiver; it stands on the stack of the thread that waits.
struct Receiver : Hook<Receiver>, Linked<OfWant>, Linked<OfNode>, Filed {
	enum class State {
		Posted,	 // nothing has come for it yet
		Filling, // a message arrives in its buffer
		Done,	 // it has its message, or an error
	};

	// No buffer: the message is handed over by pointer.
	Receiver(const Want &want_, u8 *buffer_, size_t room_)
		: want(want_), buffer(buffer_), room(room_)
	{
	}
	bool has_room(u32 message_size) const
	{
		return !buffer || message_size <= room;
	}
	u32 node() const
	{
		return want.node;
	}
	Key file_key() const
	{
		return want.key();
	}
	static Receiver &of_filed(Link *filed)
	{
		return static_cast<Receiver &>(
			*reinterpret_cast<Filed *>(filed));
	}
	// Until it is done, or has to give up. As ccm_wait().
	int wait(int timeout_ms)
	{
		return sleeper.wait([this] { return given_up.load() != 0; },
				    timeout_ms);
	}
	// The last that is done to it: it may be gone from here on.
	void conclude(int error_, Wakes &wakes)
	{
		state = State::Done;
		error = error_;
		filling = nullptr;
		wakes.end(sleeper);
	}

	const Want want;
	u8 *const buffer;
	const size_t room;

	// Under the mailbox's lock while posted, the thread's own when done.
	State state = State::Posted;
	int error = 0;		      // Done: 0, or why nothing came
	Atomic<int> given_up;	      // Filling: the error it shall leave with
	Message *message = nullptr;   // Done: what came, if not in the buffer
	Key key{};		      // of what came into the buffer
	u32 size = 0;		      // of that, or of what was too large
	Placement *filling = nullptr; // Filling: who fills
	u64 number = 0;		      // in the order in which they came
	Sleeper sleeper;
};

// Receivers that wait for exactly this.
struct ByWant : LinkedBy<Receiver, OfWant> {
	using What = Want;

	explicit ByWant(const KeyHash &chance_) : chance(chance_)
	{
	}
	Want what(const Receiver &receiver) const
	{
		return receiver.want;
	}
	u32 hash(const Want &want) const
	{
		return chance.of(want.form(), want.key());
	}
	bool same(const Want &a, const Want &b) const
	{
		return a.form() == b.form() &&
		       same_in(a.form(), a.key(), b.key());
	}

	const KeyHash &chance;
};

// What a number that nobody attached may be sent before senders wait.
constexpr ccm_limits kUnattached{CCM_SIZE_DEFAULT, 16 * 1024};

// Bytes that may be copied while a mailbox's lock is held.
constexpr u32 kCopyLocked = 64 * 1024;

// Where an arriving message goes: a receiver's own buffer, or a new message.
struct Placement {
	Mailbox *mailbox = nullptr; // nullptr: nothing is arriving
	Key key{};
	u32 size = 0;
	u32 filled = 0;
	Peer *peer = nullptr; // it comes from, and the channel it is charged to
	Channel *channel = nullptr;
	Receiver *receiver = nullptr; // under the mailbox's lock
	Message *message = nullptr;   // so too while there is a receiver
	u64 held = 0;		      // what is charged for it
	bool dropped = false;	      // it goes nowhere
};

class Mailbox {
public:
	explicit Mailbox(u32 module_) : module(module_)
	{
	}
	~Mailbox();
	Mailbox(const Mailbox &) = delete;
	Mailbox &operator=(const Mailbox &) = delete;

	const u32 module;
	Handlers handlers{*this}; // that its consumer has registered

	// The consumer; the callers hold the node's mutex. EBUSY, ESHUTDOWN.
	Status attach(const ccm_limits &limits, struct ::module *owner);
	// In two steps. After the first nobody enters, and whoever waits leaves:
	// ENOENT. After the second nobody is inside, nothing queued and no handler
	// left. Sleeps.
	Status begin_detach();
	// The same if this owner has attached it, else ENOENT too.
	Status begin_detach_of(const struct ::module *owner);
	void finish_detach();
	// Until whoever detaches this owner's number has done so. Sleeps.
	void await_end_of(const struct ::module *owner);
	struct ::module *owner();
	// If nobody is there to take what is queued, nobody will.
	void purge_unattached();
	// The node goes: nobody waits here, or will.
	void shut();
	ccm_limits limits();
	bool attached();
	void report(ccm_consumer_info &out);

	// Between the two the consumer cannot finish detaching.
	Status enter();
	void leave();

	// The first message it wants; EAGAIN, or EMSGSIZE with that one's size.
	Result<Message *> take(const Receiver &receiver, u32 *size);
	// Let it wait. False if it is done already.
	bool post(Receiver &receiver);
	// End it unless a message has come or begun to come.
	void fail(Receiver &receiver, int error);
	// It waits no longer: when this returns it is done, with the error
	// given unless something came before. Sleeps.
	void withdraw(Receiver &receiver, int error);
	// All receivers covered; returns how many.
	int cancel(const Want &want, int error);
	// All receivers that wait for this node alone.
	void fail_node(u32 node, int error);

	// The listener, as a message arrives. True if a receiver's own buffer
	// takes it; else the placement needs a message.
	bool place(Placement &placement);
	void fill(Placement &placement, const u8 *data, size_t size);
	// It is whole. True if it went into a receiver's own buffer; else the
	// message takes over the caller's reference to the peer.
	bool finish(Placement &placement);
	// The rest will never come. Returns the message to drop, if any.
	Message *abandon(Placement &placement);

	// A message that is whole.
	void deliver(Message *message);

private:
	bool give_up(Receiver &receiver, int error);
	bool move_out(Receiver &receiver);
	Message *pop();
	void purge();

	Receiver *longest_locked(const Key &key) REQUIRES(lock_);
	bool deliver_locked(Message *message, Wakes &wakes) REQUIRES(lock_);
	bool serve_locked(Receiver &receiver, Wakes &wakes) REQUIRES(lock_);
	Message *find_locked(const Want &want) REQUIRES(lock_);
	void unqueue_locked(Message *message) REQUIRES(lock_);
	void enlist_locked(Receiver &receiver) REQUIRES(lock_);
	void strike_locked(Receiver &receiver) REQUIRES(lock_);
	void step_out_locked(Receiver &receiver) REQUIRES(lock_);
	void step_back_locked(Receiver &receiver) REQUIRES(lock_);
	void end_locked(Receiver &receiver, int error, Wakes &wakes)
		REQUIRES(lock_);
	void end_soon_locked(Receiver &receiver, int error, Wakes &wakes)
		REQUIRES(lock_);
	struct Ending;
	template <class First, class Next>
	int end_those(First first, Next next, int error);
	template <class First, class Next>
	bool end_some(First first, Next next, Ending &ending);
	void end_all(int error);
	Status set_detaching_locked() REQUIRES(lock_);

	const KeyHash chance_;
	Lock lock_{
		CCM_LOCK_BOX}; // protects all that follows, and the placements
	bool attached_ GUARDED_BY(lock_) = false;
	bool shut_ GUARDED_BY(lock_) = false;
	bool detaching_ GUARDED_BY(lock_) = false;
	struct ::module *owner_ GUARDED_BY(lock_) = nullptr;
	ccm_limits limits_ GUARDED_BY(lock_) = kUnattached;
	// Between enter(), under the lock, and leave().
	Atomic<int> users_;
	Sleepers left_; // the last of them has left, or the owner
	u64 last_number_ GUARDED_BY(lock_) = 0; // of a receiver
	u32 waiting_ GUARDED_BY(lock_) = 0;
	// Posted and Filling, in order.
	List<Receiver> receivers_ GUARDED_BY(lock_);
	Filing<Receiver> filed_receivers_ GUARDED_BY(lock_){chance_};
	// Those that wait for one node alone.
	Index<ByNumber<Receiver, OfNode, &Receiver::node>>
		of_nodes_ GUARDED_BY(lock_);
	// Posted alone, and how many there are that name as much.
	Index<ByWant> posted_ GUARDED_BY(lock_){ByWant(chance_)};
	u32 posted_count_[kForms] GUARDED_BY(lock_) = {};
	u64 count_ GUARDED_BY(lock_) = 0;
	u64 bytes_ GUARDED_BY(lock_) = 0;	   // at true size
	List<Message> messages_ GUARDED_BY(lock_); // in order of arrival
	Filing<Message> filed_messages_ GUARDED_BY(lock_){chance_};
};

} // namespace ccm
